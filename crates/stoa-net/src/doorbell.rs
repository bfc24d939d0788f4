//! How a worker that waits is told that something has come for it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes a worker. To ring where it has been rung already, and not been answered, costs no system call.
pub(crate) struct Doorbell {
    waker: mio::Waker,
    has_rung: AtomicBool,
}

impl Doorbell {
    pub(crate) fn new(waker: mio::Waker) -> Self {
        Self {
            waker,
            has_rung: AtomicBool::new(false),
        }
    }

    /// One that wakes nobody.
    #[cfg(test)]
    pub(crate) fn of_nobody() -> std::sync::Arc<Self> {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        std::sync::Arc::new(Self::new(waker))
    }

    /// Wakes the worker, or keeps it from going to sleep.
    pub(crate) fn ring(&self) {
        if self.has_rung.swap(true, Ordering::SeqCst) {
            return;
        }
        // A worker that cannot be woken finds what has come at its next turn.
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "cannot wake a worker");
        }
    }

    /// The worker is awake, and looks for what has come after this.
    pub(crate) fn answer(&self) {
        self.has_rung.store(false, Ordering::SeqCst);
    }
}
