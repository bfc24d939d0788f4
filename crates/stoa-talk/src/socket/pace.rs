//! How fast a browser may talk to this service.

use tokio::time::Instant;

use crate::limits;

/// Counts a browser's messages: a burst at once, then one for each interval.
#[derive(Debug)]
pub(super) struct Pace {
    /// The moment from which the whole burst is free again. In the past while it is.
    free_at: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { free_at: now }
    }

    /// Whether a message may come now; counts it if so.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        let free_at = self.free_at.max(now) + limits::MESSAGE_INTERVAL;
        if free_at > now + limits::MESSAGE_INTERVAL * limits::MESSAGE_BURST {
            return false;
        }
        self.free_at = free_at;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_for_each_interval() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..limits::MESSAGE_BURST {
            assert!(pace.allows(start));
        }
        assert!(!pace.allows(start));
        let later = start + limits::MESSAGE_INTERVAL;
        assert!(pace.allows(later));
        assert!(!pace.allows(later));
        let rested = later + limits::MESSAGE_INTERVAL * limits::MESSAGE_BURST;
        for _ in 0..limits::MESSAGE_BURST {
            assert!(pace.allows(rested));
        }
        assert!(!pace.allows(rested));
    }
}
