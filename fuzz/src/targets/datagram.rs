//! Any datagram, from anywhere: the first byte says from where.
//!
//! A stranger gets nothing, is counted, and changes nothing. From the address of somebody who is known, it may be
//! what they say, and harms nobody else.

use std::net::{Ipv6Addr, SocketAddr};

use stoa_core::{DropReason, Endpoint, Stats};

use crate::{
    input::Input,
    scene::{self, Scene},
};

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let from = input.byte() % 4;
    let datagram = input.rest();
    scene::with(|scene| {
        match from {
            0 => stranger(scene, addresses()[0].into(), datagram),
            1 => stranger(scene, addresses()[1].into(), datagram),
            2 => stranger(scene, Endpoint::tcp(scene.liar.address), datagram),
            _ => known(scene, datagram),
        }
        scene.others_hear_each_other();
    });
}

/// Where nobody ever was, with a credential or without.
fn addresses() -> [SocketAddr; 2] {
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77);
    [([198, 51, 100, 77], 7777).into(), (v6, 7777).into()]
}

fn drops(stats: &Stats) -> u64 {
    let all = DropReason::ALL.into_iter();
    all.map(|reason| stats.dropped(reason)).sum()
}

fn stranger(scene: &mut Scene, from: Endpoint, datagram: &[u8]) {
    let before = scene.stats();
    let sent = scene.inject(from, datagram);
    assert!(sent.is_empty(), "a stranger was answered: {sent:?}");
    let after = scene.stats();
    assert_eq!(drops(&after), drops(&before) + 1, "it was not counted");
    assert_eq!(after.participants, before.participants);
    assert!(!scene.node.is_known(from), "a stranger is known");
}

fn known(scene: &mut Scene, datagram: &[u8]) {
    let from = scene.liar.address;
    let sent = scene.inject(from, datagram);
    let others = sent
        .iter()
        .filter(|transmit| transmit.destination != from.into());
    assert_eq!(others.count(), 0, "others were told of it");
    // A report of the session may be due in this very moment, whatever came: its timers are served with it.
    let (reports, answers): (Vec<_>, Vec<_>) = sent
        .iter()
        .map(|transmit| &transmit.contents[..])
        .partition(|contents| is_rtcp(contents));
    assert!(reports.len() <= 1, "{} reports at once", reports.len());
    let bytes: usize = answers.iter().map(|contents| contents.len()).sum();
    assert!(bytes <= datagram.len(), "{bytes} for {}", datagram.len());
}

/// RFC 5761, section 4: by its payload type.
fn is_rtcp(contents: &[u8]) -> bool {
    matches!(contents, [128..=191, 192..=223, ..])
}
