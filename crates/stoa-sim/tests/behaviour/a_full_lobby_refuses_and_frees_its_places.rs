//! A lobby sets so many sessions up at a time, and refuses the next one by name. A place is free again when
//! its session is keyed, sent away, or has not come in time.

use std::time::Duration;

use stoa_core::{Error, LeaveReason, Limits, RoomEventKind};
use stoa_sim::{
    ClientId, LOBBY_SESSIONS, Layout, Net,
    oracle::{
        assert_none,
        leftovers::{Leftovers, nothing_is_left},
    },
};

/// Longer than it takes from the home of a room to a seat and from there to the lobby; and not enough for
/// anybody to connect.
const A_MOMENT: Duration = Duration::from_millis(7);

/// A net whose lobby is full.
fn full(workers: usize) -> (Net, Vec<ClientId>) {
    let layout = Layout {
        workers,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, 3);
    let admit = |n| net.admit("room", &format!("p{n}"), 1).unwrap();
    let people = (0..LOBBY_SESSIONS).map(admit).collect();
    (net, people)
}

fn refusal(net: &mut Net, name: &str) -> Option<Error> {
    net.admit("room", name, 1).err()
}

#[test]
fn by_name() {
    for workers in [1, 3] {
        let (mut net, _) = full(workers);
        let limit = Error::LobbyFull {
            limit: LOBBY_SESSIONS,
        };
        assert_eq!(refusal(&mut net, "one-more"), Some(limit));
        let stats = net.node.lobby_stats();
        assert_eq!((stats.sessions, stats.refused), (LOBBY_SESSIONS, 1));
        assert_eq!(net.stats().participants, LOBBY_SESSIONS);
    }
}

#[test]
fn of_sessions_that_are_keyed() {
    let (mut net, people) = full(3);
    for &id in &people {
        net.wait_until_connected(id);
    }
    let stats = net.node.lobby_stats();
    assert_eq!((stats.sessions, stats.keyed), (0, LOBBY_SESSIONS as u64));
    assert_eq!(net.stats().seats, LOBBY_SESSIONS);
    assert_eq!(refusal(&mut net, "one-more"), None);
}

#[test]
fn of_sessions_that_are_sent_away_or_never_admitted() {
    let (mut net, people) = full(3);
    net.remove(people[0]).unwrap();
    net.run_for(A_MOMENT);
    assert_eq!(net.node.lobby_stats().sessions, LOBBY_SESSIONS - 1);
    // The home of the room refuses what the lobby has prepared.
    assert_eq!(refusal(&mut net, "p1"), Some(Error::ParticipantExists));
    net.run_for(A_MOMENT);
    assert_eq!(net.node.lobby_stats().sessions, LOBBY_SESSIONS - 1);
    assert_eq!(refusal(&mut net, "one-more"), None);
}

#[test]
fn of_sessions_that_never_come() {
    let (mut net, people) = full(3);
    people.iter().for_each(|&id| net.vanish(id));
    net.run_for(Limits::default().connect_timeout + A_MOMENT * 2);
    let left = |kind: &RoomEventKind| match kind {
        RoomEventKind::Left { reason, .. } => Some(*reason),
        _ => None,
    };
    let reasons: Vec<_> = net
        .events
        .iter()
        .filter_map(|(_, event)| left(&event.kind))
        .collect();
    assert_eq!(reasons, vec![LeaveReason::ConnectTimeout; LOBBY_SESSIONS]);
    let stats = net.node.lobby_stats();
    assert_eq!((stats.sessions, stats.lost), (0, LOBBY_SESSIONS as u64));
    let next = net.admit("room", "one-more", 1).unwrap();
    net.wait_until_connected(next);
    net.close_room("room");
    net.run_for(A_MOMENT * 4);
    assert_none(&nothing_is_left(&Leftovers::of(&mut net)));
}
