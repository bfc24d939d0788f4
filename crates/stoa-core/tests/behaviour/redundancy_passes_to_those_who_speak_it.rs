//! RED (RFC 2198) passes as it is to those who agreed on it, and is unwrapped for the others, in the same
//! room at the same time.

use std::time::Duration;

use stoa_core::DropReason;
use stoa_sim::{FRAME, Lie, Net, offers};

/// Takes RED out of an offer.
fn without_red(offer: String) -> String {
    let offer = offers::without(&offer, "a=rtpmap:63 ");
    let offer = offers::without(&offer, "a=fmtp:63 ");
    offer
        .replace("SAVPF 63 ", "SAVPF ")
        .replace(" 63 ", " ")
        .replace(" 63\r\n", "\r\n")
}

#[test]
fn in_one_room_some_hear_it_with_redundancy_and_others_without() {
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    let modern = net.join("modern", 3);
    let plain = net.admit_with("room", "plain", 3, without_red).unwrap();
    net.wait_until_connected(plain);
    assert!(!net.clients[plain].answer.contains("red/48000"));

    net.clients[ann].speaks_redundantly = true;
    net.speak(&[(ann, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    let heard = |id: usize| &net.clients[id].heard;
    assert_eq!((heard(modern).len(), heard(plain).len()), (50, 50));
    assert!(heard(modern).iter().all(|heard| heard.redundant));
    assert!(heard(plain).iter().all(|heard| !heard.redundant));
    for (with, without) in heard(modern).iter().zip(heard(plain)) {
        assert_eq!(with.opus(), without.opus());
        assert_eq!((with.sender(), with.number()), (ann, without.number()));
    }

    // Whoever stops to send redundancy is heard in the same streams.
    net.forget_heard();
    net.clients[ann].speaks_redundantly = false;
    net.speak(&[(ann, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    for id in [modern, plain] {
        let heard = &net.clients[id].heard;
        assert_eq!(heard.len(), 50);
        assert!(heard.iter().all(|heard| !heard.redundant));
    }
}

/// The blocks name the speaker's payload type of Opus. A listener who has another one could not read
/// them.
#[test]
fn whoever_numbers_formats_otherwise_gets_plain_opus() {
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    let renumber = |offer: String| {
        let offer = offer.replace(":111 ", ":96 ").replace(" 111", " 96");
        offer
            .replace("63 111/111", "63 96/96")
            .replace("63 96/111", "63 96/96")
    };
    let other = net.admit_with("room", "other", 3, renumber);
    let other = other.unwrap();
    assert!(net.clients[other].answer.contains("a=rtpmap:96 opus"));
    net.clients[ann].speaks_redundantly = true;
    net.wait_until_connected(other);
    net.speak(&[(ann, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    let heard = &net.clients[other].heard;
    assert_eq!(heard.len(), 50);
    assert!(
        heard
            .iter()
            .all(|heard| *heard.packet.header.payload_type == 96)
    );
}

#[test]
fn what_is_not_redundancy_is_counted_and_harms_nobody() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.clients[ann].speaks_redundantly = true;
    net.speak(&[(ann, 30)], Duration::from_millis(500));
    const BLOCK: u8 = 0x80 | 111;
    let overruns: [&[u8]; 3] = [&[BLOCK], &[BLOCK, 0, 3, 255, 111, 1], &[BLOCK, 0, 0, 0]];
    let foreign: &[u8] = &[8, 1, 2, 3];
    for bytes in overruns.into_iter().chain([foreign]) {
        net.lie(ann, 30, Lie::Redundancy(bytes));
        net.run_for(FRAME);
    }
    assert_eq!(net.stats().dropped(DropReason::RedMalformed), 4);
    net.forget_heard();
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_millis(500));
    net.run_for(Duration::from_millis(50));
    assert_eq!(
        (net.clients[ann].heard.len(), net.clients[ben].heard.len()),
        (25, 25)
    );
}
