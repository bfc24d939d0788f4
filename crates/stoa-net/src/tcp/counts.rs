//! What is counted of the TCP connections to one worker's port, by reason.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why something was dropped, refused or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Reason {
    /// A datagram for the worker, who had no room.
    InboundFull,
    /// A datagram of the worker, when too many were under way to the connections.
    OutboundFull,
    /// A datagram for a connection that is closed.
    NoConnection,
    /// A datagram for somebody who reads more slowly than others speak; the oldest audio goes first.
    SlowReader,
    /// A connection: there were too many in all.
    RefusedFull,
    /// A connection: there were too many from the same address.
    RefusedSource,
    /// A connection: it had shown no credential when too many others came that had not either.
    Evicted,
    /// A connection: it showed no credential in time.
    Unproven,
    /// A connection: what came was no STUN at first, or no packet at all.
    Malformed,
    /// A connection: the node knows nobody there. The credential was wrong, or they have left.
    Unknown,
    /// A connection: nothing came from there for too long.
    Silent,
    /// A connection: nothing was read there for too long.
    Stalled,
}

impl Reason {
    const ALL: [Self; 12] = [
        Self::InboundFull,
        Self::OutboundFull,
        Self::NoConnection,
        Self::SlowReader,
        Self::RefusedFull,
        Self::RefusedSource,
        Self::Evicted,
        Self::Unproven,
        Self::Malformed,
        Self::Unknown,
        Self::Silent,
        Self::Stalled,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::InboundFull => "tcp_inbound_full",
            Self::OutboundFull => "tcp_outbound_full",
            Self::NoConnection => "tcp_no_connection",
            Self::SlowReader => "tcp_slow_reader",
            Self::RefusedFull => "tcp_refused_full",
            Self::RefusedSource => "tcp_refused_source",
            Self::Evicted => "tcp_evicted",
            Self::Unproven => "tcp_unproven",
            Self::Malformed => "tcp_malformed",
            Self::Unknown => "tcp_unknown",
            Self::Silent => "tcp_silent",
            Self::Stalled => "tcp_stalled",
        }
    }
}

/// The counts. Written by both threads, read by the worker's figures.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Datagrams that the kernel has taken.
    sent: AtomicU64,
    by_reason: [AtomicU64; Reason::ALL.len()],
}

impl Counts {
    pub(crate) fn count(&self, reason: Reason) {
        self.add(reason, 1);
    }

    pub(super) fn add(&self, reason: Reason, number: u64) {
        self.by_reason[reason as usize].fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn add_sent(&self, number: u64) {
        self.sent.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Every reason's name with its count.
    pub(crate) fn by_name(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Reason::ALL.iter().map(|&reason| {
            let count = self.by_reason[reason as usize].load(Ordering::Relaxed);
            (reason.name(), count)
        })
    }
}
