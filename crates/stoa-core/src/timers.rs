//! When something is due, and why.
//!
//! A deadline often moves further away before it is reached (every packet moves a session's). So a
//! deadline that moves away only leaves a note, and the heap is corrected when the old moment comes:
//! moving a deadline costs no heap operation, and the heap holds few entries that mean nothing.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    hash::Hash,
    time::Instant,
};

use ahash::RandomState;

#[derive(Debug, Clone, Copy)]
struct Deadline {
    /// When the key is due.
    due: Instant,
    /// The entry in the heap that will look at it; never later than `due`.
    queued: Instant,
}

/// One deadline for each key.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    heap: BinaryHeap<Reverse<(Instant, K)>>,
    deadlines: HashMap<K, Deadline, RandomState>,
}

impl<K: Copy + Ord + Hash> Timers<K> {
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            heap: BinaryHeap::new(),
            deadlines: HashMap::with_hasher(hasher),
        }
    }

    /// How many keys have a deadline.
    pub(crate) fn count(&self) -> usize {
        self.deadlines.len()
    }

    /// Sets the key's deadline, in place of the one before.
    pub(crate) fn set(&mut self, key: K, due: Instant) {
        match self.deadlines.get_mut(&key) {
            Some(deadline) if deadline.queued <= due => deadline.due = due,
            _ => {
                self.deadlines.insert(key, Deadline { due, queued: due });
                self.heap.push(Reverse((due, key)));
            }
        }
    }

    /// Forgets the key's deadline.
    pub(crate) fn cancel(&mut self, key: K) {
        self.deadlines.remove(&key);
    }

    /// The next deadline, and whose it is.
    pub(crate) fn next(&mut self) -> Option<(Instant, K)> {
        while let Some(&Reverse((at, key))) = self.heap.peek() {
            match self.deadlines.get_mut(&key) {
                Some(deadline) if deadline.queued == at => {
                    if deadline.due <= at {
                        return Some((at, key));
                    }
                    deadline.queued = deadline.due;
                    let due = deadline.due;
                    self.heap.pop();
                    self.heap.push(Reverse((due, key)));
                }
                // Cancelled, or another entry has taken over.
                _ => {
                    self.heap.pop();
                }
            }
        }
        None
    }

    /// Takes the next key that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = self.next()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        self.deadlines.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use proptest::prelude::*;

    use super::*;

    fn timers() -> Timers<u8> {
        Timers::new(RandomState::with_seeds(1, 2, 3, 4))
    }

    #[test]
    fn a_deadline_moves_both_ways() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = timers();
        timers.set(1, at(10));
        timers.set(1, at(30));
        assert_eq!(timers.next(), Some((at(30), 1)));
        timers.set(1, at(20));
        assert_eq!(timers.pop_due(at(19)), None);
        assert_eq!(timers.pop_due(at(20)), Some(1));
        assert_eq!(timers.pop_due(at(1_000)), None);
    }

    proptest! {
        /// Beside a plain map that is searched from end to end.
        #[test]
        fn it_behaves_like_a_map(actions in prop::collection::vec((0u8..6, 0u64..50, 0u8..4), 1..300)) {
            let start = Instant::now();
            let at = |ms| start + Duration::from_millis(ms);
            let (mut timers, mut model) = (timers(), BTreeMap::<u8, Instant>::new());
            for (key, ms, action) in actions {
                match action {
                    0 | 1 => {
                        timers.set(key, at(ms));
                        model.insert(key, at(ms));
                    }
                    2 => {
                        timers.cancel(key);
                        model.remove(&key);
                    }
                    _ => {
                        let due = timers.pop_due(at(ms));
                        let earliest = model.values().min().copied();
                        match due {
                            Some(key) => prop_assert_eq!(model.remove(&key), earliest),
                            None => prop_assert!(earliest.is_none_or(|earliest| earliest > at(ms))),
                        }
                    }
                }
                prop_assert_eq!(timers.next().map(|(at, _)| at), model.values().min().copied());
            }
        }
    }
}
