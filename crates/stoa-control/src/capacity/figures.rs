//! What is measured of the node, once a second.

use std::time::{Duration, Instant};

/// How much waits in a place that has so much room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// What waits.
    pub waiting: usize,
    /// How much there is room for.
    pub capacity: usize,
}

impl Depth {
    /// The share of the room that is taken.
    pub(super) fn ratio(self) -> f64 {
        self.waiting as f64 / self.capacity.max(1) as f64
    }
}

/// What one media worker says of itself. Counts are since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerFigures {
    /// When it said so.
    pub at: Instant,
    /// Participants whose datagrams come to it.
    pub seats: usize,
    /// How long it was at work.
    pub busy: Duration,
    /// Datagrams sent.
    pub datagrams_sent: u64,
    /// Their bytes, without the headers of IP and UDP.
    pub bytes_sent: u64,
    /// Datagrams that the kernel had no room for in time.
    pub datagrams_unsent: u64,
    /// Datagrams that wait for room in the kernel.
    pub send_queue: Depth,
}

/// What is measured of a whole node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// When.
    pub at: Instant,
    /// The media workers, in the order of their ports.
    pub workers: Vec<WorkerFigures>,
    /// What waits in the lobbies: joins to be answered, and sessions that are being set up.
    pub lobbies: Vec<Depth>,
    /// The process's resident memory in bytes, where the system tells.
    pub memory: Option<u64>,
}
