//! The last events of a room or a tenant, for watchers that are slow or come back.

use std::collections::VecDeque;

/// A bounded run of events without a gap: each has the revision of the one before, plus one.
#[derive(Debug)]
pub(crate) struct Log<T> {
    capacity: usize,
    /// Everything after this revision is held.
    base: u64,
    events: VecDeque<T>,
}

/// What comes after a revision.
#[derive(Debug, PartialEq)]
pub(crate) enum After<T> {
    /// This event.
    Event(T),
    /// Nothing yet.
    Nothing,
    /// It is no longer held.
    Forgotten,
}

impl<T: Clone> Log<T> {
    pub(crate) fn new(base: u64, capacity: usize) -> Self {
        Self {
            capacity,
            base,
            events: VecDeque::new(),
        }
    }

    /// Adds the event of the next revision, and forgets the oldest when there is no room.
    pub(crate) fn push(&mut self, event: T) {
        self.events.push_back(event);
        while self.events.len() > self.capacity {
            self.events.pop_front();
            self.base += 1;
        }
    }

    /// The revision of the last event.
    pub(crate) fn revision(&self) -> u64 {
        self.base + self.events.len() as u64
    }

    /// The event that follows a revision, which is not in the future.
    pub(crate) fn after(&self, revision: u64) -> After<T> {
        let Some(offset) = revision.checked_sub(self.base) else {
            return After::Forgotten;
        };
        let held = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.events.get(offset));
        held.map_or(After::Nothing, |event| After::Event(event.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut log = Log::new(1, 2);
        assert_eq!(log.after(1), After::Nothing);
        for revision in 2..=4 {
            log.push(revision);
            assert_eq!(log.revision(), revision);
        }
        assert_eq!(log.after(1), After::Forgotten);
        assert_eq!(log.after(2), After::Event(3));
        assert_eq!(log.after(3), After::Event(4));
        assert_eq!(log.after(4), After::Nothing);
    }

    #[test]
    fn a_log_may_hold_nothing_at_all() {
        let mut log = Log::new(1, 0);
        log.push(2);
        assert_eq!(log.after(1), After::Forgotten);
        assert_eq!(log.after(2), After::Nothing);
    }
}
