//! Log lines that were not written, and why.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is counted, for `/metrics`. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct LogLines(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lost: AtomicU64,
    warnings: AtomicU64,
    errors: AtomicU64,
}

impl LogLines {
    /// Nobody took one in time, or it could not be written.
    pub fn lose(&self) {
        self.0.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// How many that happened to.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// One was held back, because its place had said as much too often: an error, or a warning.
    pub fn hold_back(&self, is_error: bool) {
        let counts = &*self.0;
        let count = match is_error {
            true => &counts.errors,
            false => &counts.warnings,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// So many of each level, by their names in metrics.
    pub(crate) fn held_back(&self) -> [(&'static str, u64); 2] {
        let Counts {
            warnings, errors, ..
        } = &*self.0;
        [("warn", warnings), ("error", errors)]
            .map(|(level, count)| (level, count.load(Ordering::Relaxed)))
    }
}
