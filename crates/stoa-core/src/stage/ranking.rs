//! Who of the speakers gets the slots: a pure function of who talks how loud, and who holds what.

use std::time::Duration;

use crate::limits::MAX_AUDIO_SLOTS;

/// How long somebody may be silent before their slot is free for others.
pub(crate) const SILENCE_FREES: Duration = Duration::from_millis(1_500);

/// How long somebody keeps a slot at least, however loud others are. Shorter than a word is only
/// restless.
pub(crate) const MINIMUM_HOLD: Duration = Duration::from_millis(1_000);

/// By how many decibels a challenger must be louder than a holder. Two people who talk at the same
/// level differ by less.
pub(crate) const MARGIN_DB: u32 = 6;

/// One speaker, as the ranking sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate<K> {
    pub(crate) key: K,
    /// Smoothed level above silence, in decibels.
    pub(crate) decibels: u32,
    /// How long ago they were last heard to talk. `None`: never.
    pub(crate) silent_for: Option<Duration>,
    /// Whether loudness does not matter: music keeps its slot, and has one before every voice.
    pub(crate) is_pinned: bool,
}

impl<K> Candidate<K> {
    /// Whether they are to be heard, if others leave room.
    pub(super) fn talks(&self) -> bool {
        self.silent_for
            .is_some_and(|silence| silence < SILENCE_FREES)
    }

    /// Who comes before whom: the greater one.
    pub(super) fn precedence(&self) -> (bool, u32) {
        (self.is_pinned, self.decibels)
    }

    /// Whether they take the place of `other`, who has it, rather than wait for it.
    fn displaces(&self, other: &Self) -> bool {
        match (self.is_pinned, other.is_pinned) {
            (_, true) => false,
            (true, false) => true,
            (false, false) => self.decibels >= other.decibels + MARGIN_DB,
        }
    }
}

/// Who holds a slot, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder<K> {
    pub(crate) key: K,
    pub(crate) held_for: Duration,
}

/// Who shall hold which slot, and who is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice<K> {
    pub(crate) slots: [Option<K>; MAX_AUDIO_SLOTS],
    /// The loudest who has no slot: whom a holder hears in the place of their own voice.
    pub(crate) understudy: Option<K>,
}

/// Chooses.
///
/// `slots` are the present holders, up to [`MAX_AUDIO_SLOTS`] of them; `understudy` is the present one.
/// A holder who is not among `candidates` is gone. Nobody moves from one slot to another.
pub(crate) fn choose<K: Copy + PartialEq>(
    slots: &[Option<Holder<K>>],
    understudy: Option<K>,
    candidates: &[Candidate<K>],
) -> Choice<K> {
    let find = |key: K| candidates.iter().find(|candidate| candidate.key == key);
    let mut chosen = [None; MAX_AUDIO_SLOTS];
    for (slot, holder) in chosen.iter_mut().zip(slots) {
        *slot = holder
            .map(|holder| holder.key)
            .filter(|&key| find(key).is_some_and(Candidate::talks));
    }
    let open = slots.len().min(MAX_AUDIO_SLOTS);
    let loudest_waiting = |chosen: &[Option<K>]| {
        candidates
            .iter()
            .filter(|candidate| candidate.talks() && !chosen.contains(&Some(candidate.key)))
            .max_by_key(|candidate| candidate.precedence())
    };
    // A free slot goes to the loudest at once.
    for index in 0..open {
        if chosen[index].is_none() {
            chosen[index] = loudest_waiting(&chosen).map(|candidate| candidate.key);
        }
    }
    // A slot that is held changes hands for a clear difference only, one at each turn.
    if let Some(challenger) = loudest_waiting(&chosen) {
        let may_be_taken = |index: &usize| {
            slots[*index].is_some_and(|holder| {
                let has_held_on = holder.held_for >= MINIMUM_HOLD || challenger.is_pinned;
                chosen[*index] == Some(holder.key) && has_held_on
            })
        };
        let weakest = (0..open)
            .filter(may_be_taken)
            .filter_map(|index| Some((index, find(chosen[index]?)?)))
            .min_by_key(|(_, holder)| holder.precedence());
        if let Some((index, holder)) = weakest
            && challenger.displaces(holder)
        {
            chosen[index] = Some(challenger.key);
        }
    }
    Choice {
        slots: chosen,
        understudy: next_understudy(&chosen, understudy, loudest_waiting(&chosen), find),
    }
}

fn next_understudy<'a, K: Copy + PartialEq + 'a>(
    chosen: &[Option<K>],
    present: Option<K>,
    loudest: Option<&Candidate<K>>,
    find: impl Fn(K) -> Option<&'a Candidate<K>>,
) -> Option<K> {
    let loudest = loudest?;
    let keeps = present
        .filter(|&key| !chosen.contains(&Some(key)))
        .and_then(find)
        .filter(|present| present.talks() && !loudest.displaces(present));
    Some(keeps.map_or(loudest.key, |present| present.key))
}

#[cfg(test)]
mod tests;
