//! A client that breaks what was agreed on is not heard with it, and the others are as before.

use std::time::Duration;

use stoa_core::DropReason;
use stoa_sim::{ClientId, FRAME, Lie, Net};

/// Eve says something untrue with every packet, as loudly as can be claimed, while Ann and Ben talk.
/// Returns how many packets of Eve they hear.
fn heard_of_eve(net: &mut Net, lie: Lie) -> usize {
    let [ann, ben, eve] = [0, 1, 2];
    net.forget_heard();
    for _ in 0..100 {
        net.say(ann, 30);
        net.say(ben, 30);
        net.lie(eve, 0, lie);
        net.run_for(FRAME);
    }
    net.run_for(Duration::from_millis(100));
    let count = |listener: ClientId, speaker: ClientId| {
        let heard = net.clients[listener].heard.iter();
        heard.filter(|heard| heard.sender() == speaker).count()
    };
    assert_eq!((count(ann, ben), count(ben, ann)), (100, 100), "{lie:?}");
    count(ann, eve) + count(ben, eve)
}

fn a_room_with_eve() -> Net {
    let mut net = Net::new();
    for name in ["ann", "ben", "eve"] {
        net.join(name, 3);
    }
    net
}

#[test]
fn a_codec_that_was_not_agreed_on_is_not_heard() {
    let mut net = a_room_with_eve();
    assert_eq!(heard_of_eve(&mut net, Lie::PayloadType), 0);
    // The same client without the lie.
    net.speak(&[(2, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(100));
    assert_eq!(net.clients[0].voices(), [1, 2]);
}

#[test]
fn a_line_for_listening_is_not_for_speaking() {
    let mut net = a_room_with_eve();
    assert_eq!(heard_of_eve(&mut net, Lie::Line(1)), 0);
    assert_eq!(net.stats().dropped(DropReason::NotMicrophone), 100);
}

#[test]
fn another_stream_on_the_line_for_speaking_is_one_voice_with_the_first() {
    let mut net = a_room_with_eve();
    // The line is named in the packet (RFC 8843, section 9.2), so this is no lie that could be told
    // from a client that begins its stream anew. But there is still one voice and one slot.
    assert_eq!(heard_of_eve(&mut net, Lie::Ssrc(0x1234_5678)), 200);
    for listener in [0, 1] {
        let heard = net.clients[listener].heard.iter();
        let mut lines: Vec<_> = heard
            .filter(|heard| heard.sender() == 2)
            .map(|heard| heard.line)
            .collect();
        lines.dedup();
        assert_eq!(lines.len(), 1);
    }
}
