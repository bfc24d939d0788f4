//! How workers that end know that no other one has anything to say any more.

use crate::primitives::{Arc, AtomicUsize, Ordering};

/// How many workers have said their last.
#[derive(Clone)]
pub(crate) struct Goodbyes(Arc<AtomicUsize>);

impl Goodbyes {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(0)))
    }

    /// A worker has handed over the last that it had to say to others.
    pub(crate) fn say(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether so many have. What they said is there to be found then, by whoever looks after this.
    pub(crate) fn are_said_by(&self, workers: usize) -> bool {
        self.0.load(Ordering::Acquire) == workers
    }
}
