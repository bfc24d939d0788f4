//! Spans of calls, and what became of them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is counted, for `/metrics`. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Spans(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    lost: AtomicU64,
}

impl Spans {
    /// The collector has taken so many.
    pub fn send(&self, count: u64) {
        self.0.sent.fetch_add(count, Ordering::Relaxed);
    }

    /// So many will never get there: the collector could not be reached or refused them, or too many waited.
    pub fn lose(&self, count: u64) {
        self.0.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// How many the collector has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// How many were lost.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}
