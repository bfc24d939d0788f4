//! A client that does not say how loud its packets are (RFC 6464) is heard all the same, and hears
//! the others.

use std::time::Duration;

use stoa_sim::{Net, offers::without};

#[test]
fn both_ways() {
    let mut net = Net::new();
    let no_levels = |offer: String| {
        let edited: String = offer
            .split_inclusive('\n')
            .filter(|line| !line.contains("ssrc-audio-level"))
            .collect();
        assert_ne!(edited, offer);
        edited
    };
    let ann = net.admit_with("room", "ann", 3, no_levels).unwrap();
    net.wait_until_connected(ann);
    let ben = net.join("ben", 3);
    assert!(!net.clients[ann].answer.contains("ssrc-audio-level"));
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));

    for (listener, speaker) in [(ann, ben), (ben, ann)] {
        let heard = &net.clients[listener].heard;
        assert_eq!(net.clients[listener].voices(), [speaker]);
        assert_eq!(heard.len(), 50);
        // Nobody invents a level that was not given, and nobody gets what they did not agree to.
        assert!(
            heard
                .iter()
                .all(|h| h.packet.header.ext_vals.audio_level.is_none())
        );
    }
}

#[test]
fn a_client_without_extensions_at_all() {
    let mut net = Net::new();
    let none = |offer: String| without(&offer, "a=extmap:");
    let ann = net.admit_with("room", "ann", 2, none).unwrap();
    net.wait_until_connected(ann);
    let ben = net.join("ben", 2);
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[ann].heard.len(), 50);
    assert_eq!(net.clients[ben].heard.len(), 50);
}
