//! All banks of a room, by what their listeners want.

use std::{collections::HashMap, time::Instant};

use ahash::RandomState;
use rand::Rng;
use slotmap::SlotMap;

use super::{bank::Bank, ranking::Candidate, speaker::Speakers};
use crate::{
    error::Error,
    keys::{BankKey, ParticipantKey},
    limits::{MAX_AUDIO_SLOTS, MAX_SUBSCRIPTIONS_PER_ROOM},
    subscription::Subscription,
};

/// A bank, and how many participants listen to it or are about to.
#[derive(Debug)]
struct Shared {
    bank: Bank,
    users: usize,
    /// How many of those are connected.
    hearing: usize,
}

/// The banks of one room.
#[derive(Debug)]
pub(crate) struct Banks {
    banks: SlotMap<BankKey, Shared>,
    /// Those that listeners share, by choice and number of lines.
    by_choice: HashMap<(Subscription, usize), BankKey, RandomState>,
    /// How many of those are for a choice that is not everybody.
    choices: usize,
    /// As the room is: all of its slots, and everybody. It says who is heard in the room, and is there
    /// without any listener.
    house: BankKey,
    /// How many slots the room has.
    slots: usize,
    /// Kept for its allocation.
    wanted: Vec<Candidate<ParticipantKey>>,
}

impl Banks {
    pub(crate) fn new(slots: usize, hasher: RandomState, rng: &mut impl Rng) -> Self {
        let mut banks = SlotMap::with_key();
        let house = banks.insert(Shared {
            bank: Bank::new(Subscription::EVERYBODY, MAX_AUDIO_SLOTS, slots, rng),
            users: 0,
            hearing: 0,
        });
        Self {
            banks,
            by_choice: HashMap::with_hasher(hasher),
            choices: 0,
            house,
            slots,
            wanted: Vec::new(),
        }
    }

    /// How many different choices are made that are not everybody.
    pub(crate) fn choices(&self) -> usize {
        self.choices
    }

    /// The bank for one more listener with such a choice and so many lines, and whether it is a new
    /// one, which has to be ranked before packets come.
    ///
    /// # Errors
    /// [`Error::SubscriptionLimit`].
    pub(crate) fn take(
        &mut self,
        subscription: &Subscription,
        lines: usize,
        rng: &mut impl Rng,
    ) -> Result<(BankKey, bool), Error> {
        let lines = lines.clamp(1, MAX_AUDIO_SLOTS);
        let choice = (subscription.clone(), lines);
        if let Some(&key) = self.by_choice.get(&choice) {
            self.banks[key].users += 1;
            return Ok((key, false));
        }
        if !subscription.is_everybody() {
            if self.choices >= MAX_SUBSCRIPTIONS_PER_ROOM {
                return Err(Error::SubscriptionLimit);
            }
            self.choices += 1;
        }
        let bank = Bank::new(subscription.clone(), lines, self.slots, rng);
        let key = self.banks.insert(Shared {
            bank,
            users: 1,
            hearing: 0,
        });
        self.by_choice.insert(choice, key);
        Ok((key, true))
    }

    /// A listener is gone from this bank; after the last one it is gone too. Returns whether it is.
    pub(crate) fn give_back(&mut self, key: BankKey) -> bool {
        let Some(shared) = self.banks.get_mut(key) else {
            return false;
        };
        shared.users = shared.users.saturating_sub(1);
        if shared.users > 0 || key == self.house {
            return false;
        }
        let subscription = shared.bank.subscription().clone();
        if !subscription.is_everybody() {
            self.choices -= 1;
        }
        let lines = shared.bank.lines();
        self.by_choice.remove(&(subscription, lines));
        self.banks.remove(key);
        true
    }

    /// Gives the room another number of slots; the next ranking frees those beyond.
    pub(crate) fn resize(&mut self, slots: usize) {
        self.slots = slots;
        for shared in self.banks.values_mut() {
            shared.bank.resize(slots);
        }
    }

    /// How many slots the room has.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// Gives the slots of every bank to those who shall have them, of these candidates.
    pub(crate) fn rank(
        &mut self,
        now: Instant,
        speakers: &Speakers,
        candidates: &[Candidate<ParticipantKey>],
    ) {
        for Shared { bank, .. } in self.banks.values_mut() {
            if bank.subscription().is_everybody() {
                bank.rank(now, candidates);
                continue;
            }
            let wants = |candidate: &&Candidate<ParticipantKey>| {
                let speaker = speakers.get(&candidate.key);
                speaker.is_some_and(|speaker| bank.subscription().wants(&speaker.participant))
            };
            self.wanted.clear();
            self.wanted.extend(candidates.iter().filter(wants));
            bank.rank(now, &self.wanted);
        }
    }

    /// Who is heard in which bank.
    pub(crate) fn heard(&self) -> impl Iterator<Item = (BankKey, ParticipantKey)> {
        self.banks
            .iter()
            .flat_map(|(key, shared)| shared.bank.heard().map(move |heard| (key, heard)))
    }

    /// Who is heard by those who have made no choice and have a line for each slot.
    pub(crate) fn heard_in_the_house(&self) -> impl Iterator<Item = ParticipantKey> {
        self.banks[self.house].bank.heard()
    }

    /// The bank of those who have made no choice and have a line for each slot.
    pub(crate) fn house(&self) -> &Bank {
        &self.banks[self.house].bank
    }

    /// Notes that one more is connected who hears by this bank.
    pub(crate) fn starts_to_hear(&mut self, key: BankKey) {
        if let Some(shared) = self.banks.get_mut(key) {
            shared.hearing += 1;
        }
    }

    /// Notes that one fewer is.
    pub(crate) fn ceases_to_hear(&mut self, key: BankKey) {
        if let Some(shared) = self.banks.get_mut(key) {
            shared.hearing = shared.hearing.saturating_sub(1);
        }
    }

    /// How many hear by this bank.
    pub(crate) fn hearing(&self, key: BankKey) -> usize {
        self.banks.get(key).map_or(0, |shared| shared.hearing)
    }

    pub(crate) fn get_mut(&mut self, key: BankKey) -> Option<&mut Bank> {
        self.banks.get_mut(key).map(|shared| &mut shared.bank)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::ids::ParticipantId;

    fn all_but(number: usize) -> Subscription {
        let id = ParticipantId::new(&number.to_string()).unwrap();
        Subscription::all_except(BTreeSet::from([id])).unwrap()
    }

    #[test]
    fn choices_are_shared_and_limited_and_given_back() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut banks = Banks::new(3, RandomState::with_seeds(1, 2, 3, 4), &mut rng);
        let empty = banks.banks.len();
        let mut keys: Vec<_> = (0..MAX_SUBSCRIPTIONS_PER_ROOM)
            .map(|number| banks.take(&all_but(number), 3, &mut rng).unwrap().0)
            .collect();
        let one_more = banks.take(&all_but(usize::MAX), 3, &mut rng);
        assert_eq!(one_more, Err(Error::SubscriptionLimit));
        let (shared, is_new) = banks.take(&all_but(7), 3, &mut rng).unwrap();
        assert_eq!((shared, is_new), (keys[7], false));
        let (everybody, _) = banks.take(&Subscription::EVERYBODY, 3, &mut rng).unwrap();

        assert!(!banks.give_back(shared), "somebody else is there still");
        keys.push(everybody);
        for key in keys {
            assert!(banks.give_back(key));
        }
        assert_eq!((banks.banks.len(), banks.by_choice.len()), (empty, 0));
        assert!(banks.take(&all_but(0), 3, &mut rng).is_ok());
    }
}
