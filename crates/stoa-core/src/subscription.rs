//! Whom a listener wants to hear.

use std::{collections::BTreeSet, sync::Arc};

use crate::{ids::ParticipantId, limits::MAX_SUBSCRIPTION_NAMES};

/// Whom a participant wants to hear. It names participants, not sessions: whoever comes under such a
/// name is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Subscription(Choice);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
enum Choice {
    #[default]
    Everybody,
    AllExcept(Names),
    Only(Names),
}

type Names = Arc<BTreeSet<ParticipantId>>;

/// A choice names more than [`MAX_SUBSCRIPTION_NAMES`] participants; how many, is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("names {0} participants; at most {MAX_SUBSCRIPTION_NAMES} can be named")]
pub struct TooManyNames(pub usize);

impl Subscription {
    /// Everybody: how each session begins.
    pub const EVERYBODY: Self = Self(Choice::Everybody);

    /// Everybody but these.
    ///
    /// # Errors
    /// [`TooManyNames`].
    pub fn all_except(names: BTreeSet<ParticipantId>) -> Result<Self, TooManyNames> {
        // One name for one thing: it decides whether the listener shares the room's slots.
        Ok(Self(match names.is_empty() {
            true => Choice::Everybody,
            false => Choice::AllExcept(checked(names)?),
        }))
    }

    /// These alone; nobody, if there are none.
    ///
    /// # Errors
    /// [`TooManyNames`].
    pub fn only(names: BTreeSet<ParticipantId>) -> Result<Self, TooManyNames> {
        Ok(Self(Choice::Only(checked(names)?)))
    }

    /// Whether it is no choice at all.
    pub fn is_everybody(&self) -> bool {
        self.0 == Choice::Everybody
    }

    /// Whether this participant is wanted.
    pub fn wants(&self, participant: &ParticipantId) -> bool {
        match &self.0 {
            Choice::Everybody => true,
            Choice::AllExcept(names) => !names.contains(participant),
            Choice::Only(names) => names.contains(participant),
        }
    }
}

fn checked(names: BTreeSet<ParticipantId>) -> Result<Names, TooManyNames> {
    match names.len() {
        count if count > MAX_SUBSCRIPTION_NAMES => Err(TooManyNames(count)),
        _ => Ok(Arc::new(names)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<ParticipantId> {
        let id = |name: &&str| ParticipantId::new(name).unwrap();
        names.iter().map(id).collect()
    }

    #[test]
    fn a_choice_says_who_is_wanted() {
        let [ann, ben] = ["ann", "ben"].map(|name| ParticipantId::new(name).unwrap());
        let but_ann = Subscription::all_except(names(&["ann"])).unwrap();
        assert!(!but_ann.wants(&ann) && but_ann.wants(&ben));
        let only_ann = Subscription::only(names(&["ann"])).unwrap();
        assert!(only_ann.wants(&ann) && !only_ann.wants(&ben));
        assert!(!Subscription::only(names(&[])).unwrap().wants(&ann));
    }

    #[test]
    fn nobody_left_out_is_everybody() {
        let all = Subscription::all_except(names(&[])).unwrap();
        assert_eq!(all, Subscription::EVERYBODY);
        assert!(all.is_everybody());
        assert!(!Subscription::only(names(&[])).unwrap().is_everybody());
    }

    #[test]
    fn names_have_a_limit() {
        let many: BTreeSet<_> = (0..=MAX_SUBSCRIPTION_NAMES)
            .map(|n| ParticipantId::new(&n.to_string()).unwrap())
            .collect();
        let count = many.len();
        assert_eq!(Subscription::only(many), Err(TooManyNames(count)));
    }
}
