//! Who listens in a room, by the number of their audio lines.

use std::collections::HashMap;

use ahash::RandomState;

use crate::{keys::ParticipantKey, limits::MAX_AUDIO_SLOTS};

/// The listeners of a room. Joining and leaving cost the same however many there are.
#[derive(Debug)]
pub(crate) struct Audience {
    /// At `lines - 1`: the listeners with that many lines, in no order.
    by_lines: [Vec<ParticipantKey>; MAX_AUDIO_SLOTS],
    /// Where each stands: `lines - 1`, and the index there.
    places: HashMap<ParticipantKey, (usize, usize), RandomState>,
}

impl Audience {
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            by_lines: Default::default(),
            places: HashMap::with_hasher(hasher),
        }
    }

    /// Adds a listener with 1 to [`MAX_AUDIO_SLOTS`] lines, unless they are in already.
    pub(crate) fn add(&mut self, key: ParticipantKey, lines: usize) {
        let group = lines.clamp(1, MAX_AUDIO_SLOTS) - 1;
        if self.places.contains_key(&key) {
            return;
        }
        self.places.insert(key, (group, self.by_lines[group].len()));
        self.by_lines[group].push(key);
    }

    /// Removes a listener, if they are in.
    pub(crate) fn remove(&mut self, key: ParticipantKey) {
        if let Some((group, index)) = self.places.remove(&key) {
            self.by_lines[group].swap_remove(index);
            if let Some(moved) = self.by_lines[group].get(index) {
                self.places.insert(*moved, (group, index));
            }
        }
    }

    /// The listeners with so many lines.
    pub(crate) fn with_lines(&self, lines: usize) -> &[ParticipantKey] {
        &self.by_lines[lines.clamp(1, MAX_AUDIO_SLOTS) - 1]
    }

    /// On how many lines this participant listens; nothing if they do not.
    pub(crate) fn lines_of(&self, key: ParticipantKey) -> Option<usize> {
        self.places.get(&key).map(|(group, _)| group + 1)
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    #[test]
    fn those_who_stay_are_found_after_others_leave() {
        let mut keys = SlotMap::<ParticipantKey, ()>::with_key();
        let [a, b, c] = [(); 3].map(|()| keys.insert(()));
        let mut audience = Audience::new(RandomState::with_seeds(1, 2, 3, 4));
        for key in [a, b, c, a] {
            audience.add(key, 3);
        }
        audience.remove(a);
        audience.remove(a);
        assert_eq!(audience.with_lines(3), [c, b]);
        audience.remove(c);
        assert_eq!(audience.with_lines(3), [b]);
        assert_eq!(
            (audience.lines_of(b), audience.lines_of(c)),
            (Some(3), None)
        );
    }
}
