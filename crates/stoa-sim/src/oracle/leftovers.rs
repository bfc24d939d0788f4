//! Whether something stays of those who have left, and of rooms that are closed.

use std::{net::SocketAddr, time::Duration};

use stoa_core::{DropReason, Output, TimeoutReason};

use super::{Rule, Violation};
use crate::{Net, worker_address};

/// What is left in a house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftovers {
    /// When somebody looked.
    pub at: Duration,
    /// Rooms that it counts.
    pub rooms: usize,
    /// Participants that it counts.
    pub participants: usize,
    /// Seats that it counts.
    pub seats: usize,
    /// Rooms that it counts as heard from them.
    pub audiences: usize,
    /// Sessions in its lobby.
    pub sessions: usize,
    /// What is on its way between its workers.
    pub letters: usize,
    /// Rooms that it shows.
    pub snapshots: usize,
    /// What it wants to be woken for.
    pub wakes_for: TimeoutReason,
    /// Addresses of clients that still mean something to it.
    pub known_addresses: Vec<SocketAddr>,
}

impl Leftovers {
    /// What is left in the house of a net. Sends something from every address from which anything ever
    /// came, to every worker.
    pub fn of(net: &mut Net) -> Self {
        net.drain_node();
        let mut addresses: Vec<_> = net.traffic.keys().copied().collect();
        addresses.sort();
        let unknown = |net: &Net| net.stats().dropped(DropReason::UnknownAddress);
        let workers = net.node.layout().workers;
        addresses.retain(|&address| {
            (0..workers).map(worker_address).any(|worker| {
                let before = unknown(net);
                let answer = net.inject_at(worker, address, &[0x80; 50]);
                unknown(net) == before || !answer.is_empty()
            })
        });
        let wakes_for = match net.node.poll_output() {
            Output::Timeout { why, .. } => why,
            // The node was drained; whatever this is, it is left.
            _ => TimeoutReason::Session,
        };
        let stats = net.stats();
        Self {
            at: net.elapsed(),
            rooms: stats.rooms,
            participants: stats.participants,
            seats: stats.seats,
            audiences: stats.audiences,
            sessions: net.node.lobby_stats().sessions,
            letters: net.node.letters(),
            snapshots: net.node.snapshots().len(),
            wakes_for,
            known_addresses: addresses,
        }
    }
}

/// [`Rule::Leftovers`]: all rooms are closed, and nothing of them or of anybody is left.
pub fn nothing_is_left(left: &Leftovers) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut find = |is_wrong: bool, what: String| {
        if is_wrong {
            let (rule, at) = (Rule::Leftovers, left.at);
            violations.push(Violation { rule, at, what });
        }
    };
    find(left.rooms > 0, format!("{} rooms", left.rooms));
    let participants = left.participants;
    find(participants > 0, format!("{participants} participants"));
    find(left.seats > 0, format!("{} seats", left.seats));
    let audiences = left.audiences;
    find(audiences > 0, format!("{audiences} audiences"));
    let sessions = left.sessions;
    find(sessions > 0, format!("{sessions} sessions in the lobby"));
    find(left.letters > 0, format!("{} letters", left.letters));
    let snapshots = left.snapshots;
    find(snapshots > 0, format!("{snapshots} rooms in the snapshot"));
    let why = left.wakes_for;
    find(why != TimeoutReason::Idle, format!("a timer for {why:?}"));
    let addresses = &left.known_addresses;
    find(!addresses.is_empty(), format!("addresses {addresses:?}"));
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_left_is_found() {
        let clean = Leftovers {
            at: Duration::ZERO,
            rooms: 0,
            participants: 0,
            seats: 0,
            audiences: 0,
            sessions: 0,
            letters: 0,
            snapshots: 0,
            wakes_for: TimeoutReason::Idle,
            known_addresses: Vec::new(),
        };
        assert_eq!(nothing_is_left(&clean), []);
        let planted: [fn(&mut Leftovers); 9] = [
            |left| left.rooms = 1,
            |left| left.participants = 1,
            |left| left.seats = 1,
            |left| left.audiences = 1,
            |left| left.sessions = 1,
            |left| left.letters = 1,
            |left| left.snapshots = 1,
            |left| left.wakes_for = TimeoutReason::Liveness,
            |left| left.known_addresses = vec![crate::node_address()],
        ];
        for plant in planted {
            let mut left = clean.clone();
            plant(&mut left);
            assert_eq!(nothing_is_left(&left).len(), 1, "{left:?}");
        }
    }
}
