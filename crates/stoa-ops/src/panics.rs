//! Panics on the threads of the control side.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How many there were, for `/metrics`: each ended one call, one connection or one task there. Whatever the node cannot
/// do without ends it, and nobody reads a count then. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Panics(Arc<AtomicU64>);

impl Panics {
    /// There was one more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were since the start.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
