//! A packet that the network loses is missing at the listeners, under its number; one that is late
//! keeps its place. So a receiver can tell loss from silence, and conceal it.

use std::time::Duration;

use stoa_sim::{Fate, Heard, Net};

/// Decides about the n-th RTP packet that one client sends.
fn for_each_rtp_packet(
    net: &mut Net,
    client: usize,
    mut decide: impl FnMut(usize) -> Fate + 'static,
) {
    let mut count = 0;
    net.on_uplink(move |id, datagram| {
        // RTP and RTCP have version 2; RTCP has a packet type of 192 to 223 (RFC 5761, section 4).
        let is_rtp = datagram[0] >> 6 == 2 && !(192..=223).contains(&datagram[1]);
        if id != client || !is_rtp {
            return Fate::Deliver;
        }
        count += 1;
        decide(count - 1)
    });
}

/// The stream's number of each packet, relative to the first, and the speaker's number of it.
fn numbers(heard: &[Heard]) -> Vec<(u64, u32)> {
    let first = *heard[0].packet.seq_no;
    heard
        .iter()
        .map(|heard| (*heard.packet.seq_no - first, heard.number()))
        .collect()
}

#[test]
fn a_lost_packet_is_a_gap() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    for_each_rtp_packet(&mut net, ann, |n| match n {
        3 | 10..=14 => Fate::Lose,
        _ => Fate::Deliver,
    });
    net.speak(&[(ann, 30)], Duration::from_millis(400));
    net.run_for(Duration::from_millis(100));

    let expected: Vec<_> = (0..20)
        .filter(|n| *n != 3 && !(10..=14).contains(n))
        .map(|n| (u64::from(n), n))
        .collect();
    assert_eq!(numbers(&net.clients[ben].heard), expected);
    let heard = &net.clients[ben].heard;
    let first = heard[0].packet.header.timestamp;
    for heard in heard {
        let ticks = heard.packet.header.timestamp.wrapping_sub(first);
        assert_eq!(ticks, heard.number() * 960, "timestamps go on across a gap");
        assert_eq!(heard.packet.header.marker, heard.number() == 0);
    }
}

#[test]
fn a_late_packet_keeps_its_place() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    for_each_rtp_packet(&mut net, ann, |n| match n {
        4 => Fate::Delay(Duration::from_millis(50)),
        _ => Fate::Deliver,
    });
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    net.run_for(Duration::from_millis(100));

    let order = [0, 1, 2, 3, 5, 6, 4, 7, 8, 9];
    let expected: Vec<_> = order.iter().map(|&n| (u64::from(n), n)).collect();
    assert_eq!(numbers(&net.clients[ben].heard), expected);
}
