//! How well packets get through, either way, is part of what others know of a participant.

use std::time::Duration;

use stoa_core::ConnectionQuality::{self, Fair, Good, Poor};
use stoa_sim::{ClientId, Fate, Lie, Net};

fn quality(net: &Net, id: ClientId) -> Option<ConnectionQuality> {
    let participants = net.snapshot("room").participants;
    let info = participants
        .iter()
        .find(|info| info.participant == net.clients[id].id);
    info.unwrap().connection_quality
}

/// Loses each n-th of the client's voice packets on its way to the node.
fn lose_each(net: &mut Net, id: ClientId, nth: u64) {
    let mut sent = 0_u64;
    net.on_uplink(move |from, contents| {
        let is_voice =
            matches!(contents, [128..=191, second, ..] if !(64..=95).contains(&(second & 0x7f)));
        if from != id || !is_voice {
            return Fate::Deliver;
        }
        sent += 1;
        match sent % nth {
            0 => Fate::Lose,
            _ => Fate::Deliver,
        }
    });
}

#[test]
fn loss_on_the_way_up_is_the_speakers_and_not_the_listeners() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    assert_eq!(quality(&net, ann), None, "nothing is known yet");
    net.speak(&[(ann, 30)], Duration::from_secs(20));
    assert_eq!(
        (quality(&net, ann), quality(&net, ben)),
        (Some(Good), Some(Good))
    );

    lose_each(&mut net, ann, 20);
    net.speak(&[(ann, 30)], Duration::from_secs(20));
    assert_eq!(
        (quality(&net, ann), quality(&net, ben)),
        (Some(Fair), Some(Good))
    );

    lose_each(&mut net, ann, 4);
    net.speak(&[(ann, 30)], Duration::from_secs(20));
    assert_eq!(
        (quality(&net, ann), quality(&net, ben)),
        (Some(Poor), Some(Good))
    );

    net.on_uplink(|_, _| Fate::Deliver);
    net.speak(&[(ann, 30)], Duration::from_secs(25));
    assert_eq!(quality(&net, ann), Some(Good));
}

#[test]
fn a_long_way_is_not_a_good_one() {
    let mut net = Net::new();
    net.latency = Duration::from_millis(250);
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    net.speak(&[(ann, 30)], Duration::from_secs(30));
    assert_eq!(quality(&net, ben), Some(Fair));
}

#[test]
fn nothing_that_comes_on_a_line_for_listening_counts() {
    // Whatever order the lines' figures come in: it is another one in each session.
    for _ in 0..8 {
        let mut net = Net::new();
        let (ann, _) = (net.join("ann", 3), net.join("ben", 1));
        net.lie(ann, 30, Lie::Line(1));
        net.lie(ann, 30, Lie::Line(2));
        lose_each(&mut net, ann, 4);
        net.speak(&[(ann, 30)], Duration::from_secs(20));
        assert_eq!(quality(&net, ann), Some(Poor));
    }
}
