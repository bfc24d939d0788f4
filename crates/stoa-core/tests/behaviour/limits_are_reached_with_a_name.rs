//! Whoever reaches a limit is told which one, and what was there before stays as it was.

use stoa_core::{Error, LimitScope, Limits, limits::MAX_REMOTE_CANDIDATES};
use stoa_sim::{Net, offers::chromium, participant, room};

fn limits() -> Limits {
    Limits {
        rooms: 3,
        participants_per_room: 2,
        participants: 3,
        ..Limits::default()
    }
}

#[test]
fn rooms() {
    let mut net = Net::with_limits(limits());
    let now = net.now();
    net.node
        .create_room(now, room("second"), Default::default())
        .unwrap();
    assert_eq!(
        net.node
            .create_room(now, room("second"), Default::default()),
        Err(Error::RoomExists)
    );
    net.node
        .create_room(now, room("third"), Default::default())
        .unwrap();
    assert_eq!(
        net.node
            .create_room(now, room("fourth"), Default::default()),
        Err(Error::RoomLimit { limit: 3 })
    );
    assert_eq!(net.stats().rooms, 3);
    net.node.close_room(now, &room("second")).unwrap();
    net.node
        .create_room(now, room("fourth"), Default::default())
        .unwrap();
    assert_eq!(
        net.node.close_room(now, &room("second")),
        Err(Error::RoomNotFound)
    );
}

#[test]
fn participants() {
    let mut net = Net::with_limits(limits());
    net.node
        .create_room(net.now(), room("second"), Default::default())
        .unwrap();
    let mut join = |to: &str, name: &str| net.offer(to, name, &chromium()).map(|_| ());
    join("room", "ann").unwrap();
    assert_eq!(join("room", "ann"), Err(Error::ParticipantExists));
    assert_eq!(join("nowhere", "ann"), Err(Error::RoomNotFound));
    join("room", "ben").unwrap();
    let full = |scope, limit| Err(Error::ParticipantLimit { scope, limit });
    assert_eq!(join("room", "cem"), full(LimitScope::Room, 2));
    // The same name in another room is somebody else.
    join("second", "ann").unwrap();
    assert_eq!(join("second", "ben"), full(LimitScope::Worker, 3));
    assert_eq!(net.stats().participants, 3);

    let now = net.now();
    let (room, ben) = (room("room"), participant("ben"));
    net.node.remove_participant(now, &room, &ben, None).unwrap();
    net.offer("room", "cem", &chromium()).unwrap();
    assert_eq!(
        net.node.remove_participant(now, &room, &ben, None),
        Err(Error::ParticipantNotFound)
    );
}

#[test]
fn ice_candidates() {
    let mut net = Net::new();
    net.offer("room", "ann", &chromium()).unwrap();
    let now = net.now();
    let mut add = |n: usize| {
        let text = format!(
            "candidate:1 1 udp 2122260223 192.0.2.1 {} typ host",
            1000 + n
        );
        let (room, ann) = (room("room"), participant("ann"));
        net.node.add_ice_candidate(now, &room, &ann, None, &text)
    };
    for n in 0..MAX_REMOTE_CANDIDATES {
        assert_eq!(add(n), Ok(()), "candidate {n}");
    }
    assert_eq!(add(99), Err(Error::CandidateLimit));
}
