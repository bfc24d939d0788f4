//! How a worker that waits is told that something has come for it.

use crate::primitives::{AtomicBool, Ordering, Waker};

/// Wakes a worker. To ring where it has been rung already, and not been answered, costs no system call.
pub(crate) struct Doorbell {
    waker: Waker,
    has_rung: AtomicBool,
}

impl Doorbell {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            waker,
            has_rung: AtomicBool::new(false),
        }
    }

    /// Wakes the worker, or keeps it from going to sleep.
    pub(crate) fn ring(&self) {
        if self.has_rung.swap(true, Ordering::AcqRel) {
            return;
        }
        // A worker that cannot be woken finds what has come at its next turn.
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "cannot wake a worker");
        }
    }

    /// The worker is awake, and looks for what has come after this.
    ///
    /// A swap and not a store: whoever found the bell rung has woken nobody, so what they have brought must be
    /// seen from here on, and only who reads what they wrote is sure to see it.
    pub(crate) fn answer(&self) {
        self.has_rung.swap(false, Ordering::AcqRel);
    }
}
