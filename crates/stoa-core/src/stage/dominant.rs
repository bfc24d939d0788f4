//! Who leads the conversation: a pure function of who is heard how loud, and who led before.

use std::time::{Duration, Instant};

use super::ranking::{Candidate, MARGIN_DB};

/// For how long somebody has to be clearly louder before they lead: longer than a "yes" or a cough.
pub(crate) const TAKES_OVER_AFTER: Duration = Duration::from_millis(600);

/// The leader, and who may be the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dominant<K> {
    leader: Option<K>,
    /// Who is louder than the leader, and since when.
    challenger: Option<(K, Instant)>,
}

impl<K: Copy + PartialEq> Dominant<K> {
    pub(crate) fn new() -> Self {
        Self {
            leader: None,
            challenger: None,
        }
    }

    pub(crate) fn leader(&self) -> Option<K> {
        self.leader
    }

    /// Decides anew. `heard` are those who are heard now; a leader who is not among them is none.
    pub(crate) fn update(
        &mut self,
        now: Instant,
        heard: impl Iterator<Item = Candidate<K>> + Clone,
    ) {
        let leads = |candidate: &Candidate<K>| Some(candidate.key) == self.leader;
        let leader = heard.clone().find(leads);
        let loudest = heard.max_by_key(|candidate| candidate.decibels);
        let (Some(leader), Some(loudest)) = (leader, loudest) else {
            *self = Self {
                leader: loudest.map(|candidate| candidate.key),
                challenger: None,
            };
            return;
        };
        if loudest.decibels < leader.decibels + MARGIN_DB {
            self.challenger = None;
            return;
        }
        let since = match self.challenger {
            Some((key, since)) if key == loudest.key => since,
            _ => now,
        };
        if now.saturating_duration_since(since) >= TAKES_OVER_AFTER {
            *self = Self {
                leader: Some(loudest.key),
                challenger: None,
            };
        } else {
            self.challenger = Some((loudest.key, since));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(key: usize, decibels: u32) -> Candidate<usize> {
        Candidate {
            key,
            decibels,
            silent_for: Some(Duration::ZERO),
            is_pinned: false,
        }
    }

    #[test]
    fn a_short_word_does_not_take_the_lead_and_a_long_one_does() {
        let mut now = Instant::now();
        let mut dominant = Dominant::new();
        let mut tick = |dominant: &mut Dominant<usize>, levels: [u32; 2]| {
            now += Duration::from_millis(100);
            let heard = levels.into_iter().enumerate();
            dominant.update(now, heard.map(|(key, level)| candidate(key, level)));
            dominant.leader()
        };
        assert_eq!(tick(&mut dominant, [80, 70]), Some(0));
        for _ in 0..5 {
            assert_eq!(tick(&mut dominant, [80, 100]), Some(0));
        }
        assert_eq!(tick(&mut dominant, [80, 80]), Some(0));
        for _ in 0..6 {
            assert_eq!(tick(&mut dominant, [80, 100]), Some(0));
        }
        assert_eq!(tick(&mut dominant, [80, 100]), Some(1));
        dominant.update(now, [candidate(0, 10)].into_iter());
        assert_eq!(dominant.leader(), Some(0), "whoever is heard leads");
        dominant.update(now, std::iter::empty());
        assert_eq!(dominant.leader(), None);
    }

    proptest! {
        #[test]
        fn the_leader_is_heard_and_keeps_the_lead_for_a_while(
            turns in prop::collection::vec(prop::collection::vec((any::<bool>(), 0u32..127), 5), 1..200)
        ) {
            let (mut now, mut dominant, mut changed) = (Instant::now(), Dominant::new(), None);
            for turn in turns {
                now += Duration::from_millis(100);
                let before = dominant.leader();
                let heard: Vec<_> = turn.iter().enumerate()
                    .filter(|(_, (heard, _))| *heard)
                    .map(|(key, (_, level))| candidate(key, *level))
                    .collect();
                dominant.update(now, heard.iter().copied());
                let is_heard = |key: Option<usize>| heard.iter().any(|candidate| Some(candidate.key) == key);
                prop_assert_eq!(dominant.leader().is_some(), !heard.is_empty());
                prop_assert!(dominant.leader().is_none() || is_heard(dominant.leader()));
                if dominant.leader() != before {
                    // Only who is gone loses the lead sooner.
                    let soon = changed.is_some_and(|at| now - at < TAKES_OVER_AFTER);
                    prop_assert!(!soon || !is_heard(before));
                    changed = Some(now);
                }
            }
        }
    }
}
