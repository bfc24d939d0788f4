//! The last events of a room, for watchers that are slow or come back.

use std::{collections::VecDeque, sync::Arc};

use stoa_api::v1::WatchResponse;

/// A bounded run of events without a gap.
#[derive(Debug)]
pub(crate) struct Log {
    capacity: usize,
    /// Everything after this revision is held.
    base: u64,
    events: VecDeque<Arc<WatchResponse>>,
}

/// What comes after a revision.
#[derive(Debug, PartialEq)]
pub(crate) enum After {
    /// This event.
    Event(Arc<WatchResponse>),
    /// Nothing yet.
    Nothing,
    /// It is no longer held.
    Forgotten,
}

impl Log {
    pub(crate) fn new(base: u64, capacity: usize) -> Self {
        Self {
            capacity,
            base,
            events: VecDeque::new(),
        }
    }

    /// Adds the event of the next revision, and forgets the oldest when there is no room.
    pub(crate) fn push(&mut self, event: Arc<WatchResponse>) {
        debug_assert_eq!(event.revision, self.base + self.events.len() as u64 + 1);
        self.events.push_back(event);
        while self.events.len() > self.capacity {
            self.events.pop_front();
            self.base += 1;
        }
    }

    /// The event that follows a revision, which is not in the future.
    pub(crate) fn after(&self, revision: u64) -> After {
        let Some(offset) = revision.checked_sub(self.base) else {
            return After::Forgotten;
        };
        let held = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.events.get(offset));
        held.map_or(After::Nothing, |event| After::Event(Arc::clone(event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(revision: u64) -> Arc<WatchResponse> {
        Arc::new(WatchResponse {
            revision,
            ..Default::default()
        })
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut log = Log::new(1, 2);
        assert_eq!(log.after(1), After::Nothing);
        for revision in 2..=4 {
            log.push(event(revision));
        }
        assert_eq!(log.after(1), After::Forgotten);
        assert_eq!(log.after(2), After::Event(event(3)));
        assert_eq!(log.after(3), After::Event(event(4)));
        assert_eq!(log.after(4), After::Nothing);
    }

    #[test]
    fn a_log_may_hold_nothing_at_all() {
        let mut log = Log::new(1, 0);
        log.push(event(2));
        assert_eq!(log.after(1), After::Forgotten);
        assert_eq!(log.after(2), After::Nothing);
    }
}
