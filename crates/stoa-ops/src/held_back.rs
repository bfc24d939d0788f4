//! How many log lines were held back, because their place had said as much too often.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is counted, for `/metrics`. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct HeldBack(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    warnings: AtomicU64,
    errors: AtomicU64,
}

impl HeldBack {
    /// One line was held back: an error, or a warning.
    pub fn count(&self, is_error: bool) {
        let counts = &*self.0;
        let count = match is_error {
            true => &counts.errors,
            false => &counts.warnings,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// So many of each level, by their names in metrics.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        let Counts { warnings, errors } = &*self.0;
        [("warn", warnings), ("error", errors)]
            .map(|(level, count)| (level, count.load(Ordering::Relaxed)))
    }
}
