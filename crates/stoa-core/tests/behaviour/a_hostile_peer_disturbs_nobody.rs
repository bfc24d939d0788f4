//! A participant with a valid credential and bad intentions can harm nobody but themselves.

use std::{net::SocketAddr, time::Duration};

use stoa_core::{
    DropReason, LeaveReason, RoomEventKind,
    limits::{ADDRESS_KEPT, MAX_ADDRESSES_PER_SESSION, MAX_CHECKS_PER_SECOND},
};
use stoa_sim::{Net, stun::check_of};
use str0m::channel::ChannelConfig;

#[test]
fn nobody_can_claim_the_address_of_another() {
    let mut net = Net::new();
    let (ann, ben, eve) = (net.join("ann", 3), net.join("ben", 3), net.join("eve", 3));
    let address = net.clients[ann].outer;
    net.forget_heard();
    for _ in 0..20 {
        // Eve's own, valid check, with Ann's address as its forged source.
        let check = check_of(&mut net.clients[eve], true);
        assert!(net.inject(address, &check).is_empty());
        net.speak(&[(ann, 30), (ben, 30)], Duration::from_millis(500));
    }
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.stats().dropped(DropReason::AddressTaken), 20);
    assert_eq!(
        net.clients[ben].heard.len(),
        500,
        "Ann was heard all the time"
    );
    assert_eq!(
        net.clients[ann].heard.len(),
        500,
        "Ben was heard all the time"
    );
    assert_eq!(net.clients[eve].voices(), [ann, ben]);
}

#[test]
fn an_address_is_free_when_its_user_has_left_or_is_silent() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let (anns, bens) = (net.clients[ann].outer, net.clients[ben].outer);
    net.hang_up(ann);
    net.run_for(Duration::from_millis(50));
    let cem = net.join("cem", 3);
    let check = check_of(&mut net.clients[cem], false);
    assert_eq!(net.inject(anns, &check).len(), 1);
    // Ben's NAT gave his port to somebody else while he was out of reach.
    net.vanish(ben);
    net.run_for(ADDRESS_KEPT);
    assert_eq!(net.inject(bens, &check).len(), 1);
}

#[test]
fn checks_from_ever_new_addresses_come_to_an_end() {
    let mut net = Net::new();
    let (ann, ben, eve) = (net.join("ann", 3), net.join("ben", 3), net.join("eve", 3));
    let check = check_of(&mut net.clients[eve], true);
    for port in 0..1_000 {
        net.inject(SocketAddr::from(([203, 0, 113, 5], 10_000 + port)), &check);
        // As often as checks are answered.
        net.run_for(Duration::from_secs(1) / MAX_CHECKS_PER_SECOND);
    }
    // One address was hers before.
    let expected = 1_000 - (MAX_ADDRESSES_PER_SESSION as u64 - 1);
    let dropped = net.stats().dropped(DropReason::AddressLimit);
    // Hers was forgotten for the others, and she goes on to check from there.
    assert!((expected..expected + 10).contains(&dropped), "{dropped}");
    net.forget_heard();
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[ben].heard.len(), 50);
    assert_eq!(net.clients[ann].heard.len(), 50);
}

#[test]
fn nobody_connects_with_another_certificate_than_their_offers() {
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    let other_fingerprint = |offer: String| {
        let at = offer.find("a=fingerprint:sha-256 ").unwrap() + "a=fingerprint:sha-256 ".len();
        let byte = if offer[at..].starts_with("00") {
            "01"
        } else {
            "00"
        };
        let fingerprint = offer[at..at + 95].to_owned();
        offer.replace(&fingerprint, &format!("{byte}{}", &fingerprint[2..]))
    };
    let eve = net.admit_with("room", "eve", 3, other_fingerprint).unwrap();
    net.run_for(Duration::from_secs(1));
    let events = net.events.iter().map(|(_, event)| &event.kind);
    let of_eve: Vec<_> = events.skip_while(|kind| {
        !matches!(kind, RoomEventKind::Joined(info) if info.participant == net.clients[eve].id)
    }).collect();
    assert!(
        matches!(
            of_eve[..],
            [
                RoomEventKind::Joined(_),
                RoomEventKind::Left {
                    reason: LeaveReason::MediaError,
                    ..
                }
            ]
        ),
        "{of_eve:?}"
    );
    assert!(!net.clients[ann].closed);
    assert_eq!(net.stats().participants, 1);
}

/// str0m takes associations that nobody has negotiated (docs/upstream/str0m-sctp-unasked.md).
#[test]
fn nobody_opens_a_data_channel() {
    let mut net = Net::new();
    let (ann, eve) = (net.join("ann", 3), net.join("eve", 3));
    let mut api = net.clients[eve].rtc.direct_api();
    api.start_sctp(true);
    let asked = api.create_data_channel(ChannelConfig::default());
    net.run_for(Duration::from_secs(10));
    let channel = net.clients[eve].rtc.channel(asked);
    assert!(channel.is_none(), "somebody answers");
    net.forget_heard();
    net.speak(&[(ann, 30)], Duration::from_millis(500));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[eve].heard.len(), 25, "she is still there");
}
