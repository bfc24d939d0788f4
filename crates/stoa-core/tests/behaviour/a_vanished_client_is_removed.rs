//! Whoever vanishes without a word is removed when the ICE timeout and the time to resume are over, and
//! others are told; whoever never connects, when the time to connect is over. Nothing of them stays.

use std::time::Duration;

use stoa_core::{DropReason, LeaveReason, Limits, RoomEventKind};
use stoa_sim::{Client, ClientId, Fate, Net};

/// When and why a client left, as the room was told.
fn left(net: &Net, name: &str) -> Option<(Duration, LeaveReason)> {
    net.events.iter().find_map(|(at, event)| match &event.kind {
        RoomEventKind::Left {
            participant,
            reason,
            ..
        } if participant.as_str() == name => Some((*at, *reason)),
        _ => None,
    })
}

fn speaking_until_now(net: &mut Net, client: ClientId) {
    net.speak(&[(client, 30)], Duration::from_secs(1));
}

#[test]
fn the_ice_timeout_and_the_resume_window_after_the_last_packet() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    speaking_until_now(&mut net, ann);
    net.vanish(ann);
    let vanished_at = net.elapsed();
    let address = net.clients[ann].outer;
    net.run_until("Ann is gone", |net| left(net, "ann").is_some());

    let (at, reason) = left(&net, "ann").unwrap();
    assert_eq!(reason, LeaveReason::IceTimeout);
    let timeout = Limits::default().ice_timeout + Limits::default().resume_window;
    let after = at - vanished_at;
    assert!(
        after <= timeout && after > timeout - Duration::from_millis(50),
        "removed after {after:?}"
    );
    assert_eq!(net.stats().participants, 1);
    assert_eq!(net.snapshot("room").participants.len(), 1);

    // Her address means nothing any more, and Ben is as well as before.
    let before = net.stats().dropped(DropReason::UnknownAddress);
    assert!(net.inject(address, &[0x80; 100]).is_empty());
    assert_eq!(net.stats().dropped(DropReason::UnknownAddress), before + 1);
    net.run_for(Duration::from_secs(60));
    assert_eq!(left(&net, "ben"), None);
    let anew = net.join("ann", 3);
    net.speak(&[(ben, 30), (anew, 30)], Duration::from_secs(1));
    assert_eq!(net.clients[anew].voices(), [ben]);
    assert_eq!(net.clients[ben].voices_since(at), [anew]);
}

#[test]
fn who_is_silent_but_there_stays() {
    let mut net = Net::new();
    net.join("ann", 3);
    net.join("ben", 1);
    net.run_for(Duration::from_secs(600));
    assert_eq!(net.stats().participants, 2);
}

#[test]
fn their_slot_is_free_for_others() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    let listener = net.join("listener", 1);
    net.speak(&[(ann, 15)], Duration::from_secs(2));
    net.vanish(ann);
    net.speak(&[(ben, 50)], Duration::from_secs(2));
    assert_eq!(net.clients[listener].voices(), [ann, ben]);
}

#[test]
fn who_never_connects_is_removed_after_the_connect_timeout() {
    let mut net = Net::new();
    let (_, offer) = Client::new(net.now(), 9, "room", "ann", 3);
    net.offer("room", "ann", &offer).unwrap();
    let joined_at = net.elapsed();
    net.run_until("Ann is gone", |net| left(net, "ann").is_some());
    let (at, reason) = left(&net, "ann").unwrap();
    assert_eq!(reason, LeaveReason::ConnectTimeout);
    assert_eq!(at - joined_at, Limits::default().connect_timeout);
    assert_eq!(net.stats().participants, 0);
    net.offer("room", "ann", &offer).unwrap();
}

#[test]
fn ice_without_dtls_is_not_connected() {
    let mut net = Net::new();
    // DTLS records begin with 20 to 63 (RFC 7983, section 7).
    net.on_uplink(|_, datagram| match datagram[0] {
        20..=63 => Fate::Lose,
        _ => Fate::Deliver,
    });
    net.admit("room", "ann", 3).unwrap();
    net.run_until("Ann is gone", |net| left(net, "ann").is_some());
    let (at, reason) = left(&net, "ann").unwrap();
    assert_eq!(reason, LeaveReason::ConnectTimeout);
    assert_eq!(at, Limits::default().connect_timeout);
}
