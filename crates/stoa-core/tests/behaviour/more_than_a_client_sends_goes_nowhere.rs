//! Whoever has valid keys and sends more than any client has to costs others nothing by it: what is too much is
//! counted, and goes nowhere. What of it is no function of a str0m client is in the tests of `fuzz/`.

use std::time::Duration;

use stoa_core::{
    DropReason, Limits,
    limits::{
        MAX_CHECKS_PER_SECOND, MAX_HANDSHAKE_DATAGRAMS_PER_SECOND, MAX_LEARNED_SSRCS,
        MAX_VOICE_PACKETS_AT_ONCE, MAX_VOICE_PACKETS_PER_SECOND, PACE_BURST,
    },
};
use stoa_sim::{
    ClientId, FRAME, Layout, Lie, Net,
    stun::{attribute, check_of},
};

/// What may come at once of what may come so often.
fn burst(per_second: u32) -> u64 {
    u64::from(per_second) * PACE_BURST.as_secs()
}

/// What a client has announced to speak under.
fn announced(net: &Net, id: ClientId) -> u32 {
    let mut lines = net.clients[id].offer.lines();
    let found = lines.find_map(|line| line.strip_prefix("a=ssrc:"));
    let found = found.and_then(|text| text.split(' ').next());
    found.and_then(|text| text.parse().ok()).expect("an SSRC")
}

fn others_hear_each_other(net: &mut Net, one: ClientId, other: ClientId) {
    net.forget_heard();
    net.speak(&[(one, 30), (other, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[one].heard.len(), 50);
    assert_eq!(net.clients[other].heard.len(), 50);
}

#[test]
fn nobody_hears_more_of_somebody_than_anybody_can_say() {
    const SENT: u64 = 2_000;
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let voice = Lie::Ssrc(announced(&net, ann));
    for _ in 0..SENT {
        net.lie(ann, 30, voice);
        net.run_for(Duration::from_millis(1));
    }
    net.run_for(Duration::from_millis(50));
    let most = u64::from(MAX_VOICE_PACKETS_AT_ONCE + 2 * MAX_VOICE_PACKETS_PER_SECOND);
    let heard = net.clients[ben].heard.len() as u64;
    assert!(heard.abs_diff(most) <= 1, "{heard}");
    assert_eq!(net.stats().dropped(DropReason::OverRate), SENT - heard);
    others_hear_each_other(&mut net, ann, ben);
}

#[test]
fn checks_are_answered_as_often_as_clients_need_them() {
    let mut net = Net::new();
    let (ann, ben, eve) = (net.join("ann", 3), net.join("ben", 3), net.join("eve", 3));
    net.run_for(PACE_BURST);
    let address = net.clients[eve].outer;
    let check = check_of(&mut net.clients[eve], true);
    let answers = |net: &mut Net| -> u64 {
        let sent = (0..1_000).map(|_| net.inject(address, &check).len());
        sent.sum::<usize>() as u64
    };
    assert_eq!(answers(&mut net), burst(MAX_CHECKS_PER_SECOND));
    assert_eq!(answers(&mut net), 0);
    let dropped = net.stats().dropped(DropReason::OverRate);
    assert_eq!(dropped, 2_000 - burst(MAX_CHECKS_PER_SECOND));
    net.run_for(Duration::from_secs(1));
    let later = answers(&mut net);
    assert!(
        later.abs_diff(MAX_CHECKS_PER_SECOND.into()) <= 5,
        "but for her own: {later}"
    );
    others_hear_each_other(&mut net, ann, ben);
}

#[test]
fn ever_new_ssrcs_come_to_an_end() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    for number in 0..1_000 {
        net.lie(ann, 30, Lie::Ssrc(0xdead_0000 + number));
        net.run_for(FRAME);
    }
    let expected = 1_000 - MAX_LEARNED_SSRCS as u64;
    assert_eq!(net.stats().dropped(DropReason::SsrcLimit), expected);
    // She comes back to her own.
    others_hear_each_other(&mut net, ann, ben);
}

/// Whoever never ends a handshake does not keep the lobby from those of others.
#[test]
fn a_lobby_is_handed_as_much_as_a_handshake_needs() {
    let layout = Layout {
        workers: 1,
        lobby: true,
    };
    let mut net = Net::laid_out_with(layout, Limits::default(), 7);
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let eve = net.admit("room", "eve", 3).unwrap();
    net.run_until("her first check is there", |net| {
        net.traffic
            .get(&net.clients[eve].outer)
            .is_some_and(|traffic| traffic.bytes_out > 0)
    });
    assert!(!attribute(&net.clients[eve], "a=ice-ufrag:").is_empty());
    let (address, hello) = (net.clients[eve].outer, [22, 0xfe, 0xfd, 0, 0]);
    net.vanish(eve);
    for _ in 0..1_000 {
        net.inject(address, &hello);
    }
    let dropped = net.stats().dropped(DropReason::OverRate);
    let handed = 1_000 - dropped;
    let most = burst(MAX_HANDSHAKE_DATAGRAMS_PER_SECOND);
    assert!((most - 5..=most).contains(&handed), "{handed}");
    others_hear_each_other(&mut net, ann, ben);
}
