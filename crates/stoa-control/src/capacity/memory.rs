//! How much memory those who are in take, of what the process has.

use std::time::Duration;

use super::learned::Worst;

/// What a participant takes before it was measured: docs/performance.md, "A whole node".
const PRIOR: f64 = 80.0 * 1_024.0;

/// From how many people on what they take together can be told from all else.
const ENOUGH: usize = 200;

/// What is known of the process's memory. It does not shrink when people leave: the allocator keeps what they
/// had for those who come.
#[derive(Debug)]
pub(super) struct Memory {
    /// What the process had at first.
    base: Option<f64>,
    /// The most people for whom it has memory.
    most: f64,
    each: Worst,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            base: None,
            most: 0.0,
            each: Worst::prior(PRIOR),
        }
    }

    /// Returns how many bytes are taken, what is kept for those who left not included.
    pub(super) fn take(&mut self, resident: u64, people: usize, passed: Duration) -> f64 {
        let (resident, here) = (resident as f64, people as f64);
        let first = self.base.unwrap_or((resident - here * PRIOR).max(0.0));
        let base = first.min(resident);
        self.base = Some(base);
        self.most = self.most.max(here);
        if people >= ENOUGH && here >= self.most {
            self.each.take((resident - base) / here, passed);
        }
        let each = self.each();
        // Where it has shrunk, it has room for fewer.
        self.most = self.most.min((resident - base) / each).max(here);
        (resident - (self.most - here) * each).max(base)
    }

    /// What one more participant takes.
    pub(super) fn each(&self) -> f64 {
        self.each.value()
    }
}
