//! What a worker says of itself.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How much waits in a queue, and how much of it there may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// What waits.
    pub waiting: usize,
    /// How much may wait.
    pub capacity: usize,
}

/// What a worker says of itself, at most a second old.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its UDP port.
    pub port: u16,
    /// Rooms it owns.
    pub rooms: usize,
    /// Participants in them.
    pub participants: usize,
    /// Seats it has: those whose datagrams come to it, of its own rooms and of others'.
    pub seats: usize,
    /// Rooms of other workers that are heard from those seats.
    pub audiences: usize,
    /// Moments that something of a room or a seat is due at now.
    pub timers: usize,
    /// Datagrams received since the start.
    pub datagrams_received: u64,
    /// Bytes of them, without the headers of UDP and IP.
    pub bytes_received: u64,
    /// Datagrams sent since the start, by UDP and TCP.
    pub datagrams_sent: u64,
    /// Bytes of them, without the headers of UDP and IP; of those by TCP what was handed on to be sent.
    pub bytes_sent: u64,
    /// Datagrams that wait for room in the kernel.
    pub send_queue: usize,
    /// How many there may be of one IP version before the oldest are dropped.
    pub send_queue_capacity: usize,
    /// Datagrams that were dropped because the kernel had no room for them in time.
    pub datagrams_unsent: u64,
    /// How long the worker was at work since the start; the rest of the time it waited.
    pub busy: Duration,
    /// How late it was at its timers.
    pub lateness: Lateness,
    /// When this was said; `None` before the first turn. A worker that says nothing for several seconds
    /// has stalled.
    pub published: Option<Instant>,
    /// Panics that were contained since the start: each ended one participant at most.
    pub panics: u64,
    /// Datagrams dropped since the start, by reason, in or out; and TCP connections that were refused or
    /// closed, by the reasons that begin with `tcp_`.
    pub datagrams_dropped: BTreeMap<&'static str, u64>,
}

/// How late a worker was at its timers, in classes. A packet waits as long as a timer does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lateness {
    /// How many timers were late by no more than [`Lateness::BOUNDS`] and more than the bound before; the last
    /// one: by more than all of them.
    pub counts: [u64; Lateness::BOUNDS.len() + 1],
    /// All of their lateness.
    pub sum: Duration,
}

impl Lateness {
    /// The upper bounds of the classes.
    pub const BOUNDS: [Duration; 8] = [
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_millis(2),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(20),
        Duration::from_millis(50),
        Duration::from_millis(200),
    ];

    /// A timer was late by this much.
    pub(crate) fn count(&mut self, late: Duration) {
        self.counts[Self::BOUNDS.partition_point(|bound| *bound < late)] += 1;
        self.sum += late;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_of_the_class_below_it() {
        let mut lateness = Lateness::default();
        lateness.count(Duration::ZERO);
        lateness.count(Lateness::BOUNDS[0]);
        lateness.count(Lateness::BOUNDS[0] + Duration::from_nanos(1));
        lateness.count(Duration::from_secs(1));
        assert_eq!(lateness.counts, [2, 1, 0, 0, 0, 0, 0, 0, 1]);
        assert!(lateness.sum > Duration::from_secs(1));
    }
}
