//! Listeners report what they receive (RFC 3550, section 6.4): loss and round trip are known for each.

use std::time::Duration;

use stoa_core::{ParticipantId, Reception};
use stoa_sim::{Fate, Net, participant, room};

fn reception(net: &Net, who: &str) -> Option<Reception> {
    net.node
        .reception(&room("room"), &participant(who))
        .unwrap()
}

/// Whether a datagram is SRTP: version 2, and not a packet type of RTCP (RFC 5761, section 4).
fn is_rtp(datagram: &[u8]) -> bool {
    datagram[0] >> 6 == 2 && !(192..=223).contains(&datagram[1])
}

#[test]
fn loss_and_round_trip() {
    let mut net = Net::new();
    net.latency = Duration::from_millis(30);
    let (ann, ben, cat) = (net.join("ann", 3), net.join("ben", 3), net.join("cat", 1));
    let mut count = 0;
    net.on_downlink(move |client, datagram| {
        if client != ben || !is_rtp(datagram) {
            return Fate::Deliver;
        }
        count += 1;
        if count % 4 == 0 {
            Fate::Lose
        } else {
            Fate::Deliver
        }
    });
    assert_eq!(reception(&net, "ben"), None, "nothing was sent yet");
    net.speak(&[(ann, 30)], Duration::from_secs(20));

    let ben = reception(&net, "ben").unwrap();
    assert!((0.2..0.3).contains(&ben.fraction_lost), "{ben:?}");
    assert!((100..=250).contains(&ben.packets_lost), "{ben:?}");
    let round_trip = ben.round_trip.unwrap();
    assert!(
        round_trip.abs_diff(Duration::from_millis(60)) < Duration::from_millis(2),
        "{ben:?}"
    );
    let whole = reception(&net, "cat").unwrap();
    assert_eq!((whole.fraction_lost, whole.packets_lost), (0.0, 0));
    assert!(whole.jitter < Duration::from_millis(1), "{whole:?}");
    assert_eq!(net.clients[cat].voices(), [ann]);
    assert_eq!(reception(&net, "ann"), None, "hears nobody");
}

#[test]
fn nobody_is_asked_who_is_not_there() {
    let net = Net::new();
    let nobody = ParticipantId::new("nobody").unwrap();
    assert!(net.node.reception(&room("room"), &nobody).is_err());
    assert!(net.node.reception(&room("elsewhere"), &nobody).is_err());
}
