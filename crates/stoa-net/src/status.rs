//! What a worker says of itself.

use std::collections::BTreeMap;

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
    /// Datagrams received since the start.
    pub datagrams_received: u64,
    /// Datagrams sent since the start.
    pub datagrams_sent: u64,
    /// Datagrams dropped since the start, by reason, in or out; and TCP connections that were refused or
    /// closed, by the reasons that begin with `tcp_`.
    pub datagrams_dropped: BTreeMap<&'static str, u64>,
}
