//! A client whose NAT changes its address again and again is heard and hears, but for the seconds until
//! its next ICE check shows where it is; nobody else notices.

use std::time::Duration;

use stoa_sim::{ClientId, FRAME, Net, oracle};

/// Clients check their consent at least this often (RFC 7675, section 5.1: 5 s, plus a fifth).
const CHECK_INTERVAL: Duration = Duration::from_secs(6);

/// The longest time in which a listener heard nothing of a speaker.
fn longest_gap(net: &Net, listener: ClientId, speaker: ClientId) -> Duration {
    let heard = net.clients[listener].heard.iter();
    let times: Vec<_> = heard
        .filter(|heard| heard.sender() == speaker)
        .map(|heard| heard.at)
        .collect();
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or(Duration::MAX)
}

/// Ann and Ben talk and Cem listens, for two minutes; one of them has a NAT that changes every 15 s or
/// so. Returns how often it did.
fn talk_for_two_minutes(net: &mut Net, restless: ClientId) -> usize {
    net.set_nat(restless, Some(Duration::from_secs(15)));
    let mut addresses = vec![net.clients[restless].outer];
    for _ in 0..120 {
        net.speak(&[(0, 25), (1, 30)], Duration::from_secs(1) - FRAME * 10);
        // A breath, or nobody believes the levels.
        net.speak(&[(0, 100), (1, 100)], FRAME * 10);
        addresses.push(net.clients[restless].outer);
    }
    addresses.dedup();
    addresses.len() - 1
}

fn room_of_three() -> Net {
    let mut net = Net::seeded(13);
    for name in ["ann", "ben", "cem"] {
        net.join(name, 3);
    }
    net
}

#[test]
fn as_a_listener() {
    let mut net = room_of_three();
    let changes = talk_for_two_minutes(&mut net, 2);
    assert!(changes >= 5, "{changes} changes");
    oracle::assert_holds(&net);
    for speaker in [0, 1] {
        let gap = longest_gap(&net, 2, speaker);
        assert!(
            gap > FRAME * 2 && gap <= CHECK_INTERVAL + FRAME * 2,
            "{gap:?}"
        );
    }
    let heard = net.clients[2].heard.len();
    let all = 2 * 6_000;
    assert!(heard > all / 2, "{heard} of {all} packets");
    // The others have missed nothing.
    assert_eq!(net.clients[0].heard.len(), 6_000);
    assert_eq!(net.clients[1].heard.len(), 6_000);
}

#[test]
fn as_a_speaker() {
    let mut net = room_of_three();
    let changes = talk_for_two_minutes(&mut net, 0);
    assert!(changes >= 5, "{changes} changes");
    oracle::assert_holds(&net);
    for listener in [1, 2] {
        let gap = longest_gap(&net, listener, 0);
        assert!(
            gap > FRAME * 2 && gap <= CHECK_INTERVAL + FRAME * 2,
            "{gap:?}"
        );
    }
    let of_ben = net.clients[2].heard.iter();
    let of_ben = of_ben.filter(|heard| heard.sender() == 1).count();
    assert_eq!(of_ben, 6_000);
}
