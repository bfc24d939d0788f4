//! Who listens in a room, by the bank of slots that they share.

use std::collections::HashMap;

use ahash::RandomState;
use slotmap::SecondaryMap;

use crate::{
    compose::{Composed, Destination},
    keys::{BankKey, ParticipantKey},
};

/// The listeners of a room. Joining and leaving cost the same however many there are.
#[derive(Debug)]
pub(crate) struct Audience {
    /// Who hears each bank, in no order.
    by_bank: SecondaryMap<BankKey, Vec<ParticipantKey>>,
    /// Where each listener stands: which bank, and the index there.
    places: HashMap<ParticipantKey, (BankKey, usize), RandomState>,
}

impl Audience {
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            by_bank: SecondaryMap::new(),
            places: HashMap::with_hasher(hasher),
        }
    }

    /// Seats a listener at a bank; whoever sits at another one moves.
    pub(crate) fn seat(&mut self, key: ParticipantKey, bank: BankKey) {
        if self.bank_of(key) == Some(bank) {
            return;
        }
        self.remove(key);
        if !self.by_bank.contains_key(bank) {
            self.by_bank.insert(bank, Vec::new());
        }
        let listeners = &mut self.by_bank[bank];
        self.places.insert(key, (bank, listeners.len()));
        listeners.push(key);
    }

    /// Removes a listener, if they are in.
    pub(crate) fn remove(&mut self, key: ParticipantKey) {
        let Some((bank, index)) = self.places.remove(&key) else {
            return;
        };
        let listeners = &mut self.by_bank[bank];
        listeners.swap_remove(index);
        if let Some(moved) = listeners.get(index) {
            self.places.insert(*moved, (bank, index));
        }
        if listeners.is_empty() {
            self.by_bank.remove(bank);
        }
    }

    /// Who hears this bank.
    pub(crate) fn of(&self, bank: BankKey) -> &[ParticipantKey] {
        self.by_bank.get(bank).map_or(&[], Vec::as_slice)
    }

    /// Who may be sent a packet, with some among them perhaps for whom it is not
    /// ([`Destination::leaves_out`]).
    pub(crate) fn hearers<'a>(&'a self, composed: &'a Composed) -> &'a [ParticipantKey] {
        let bank = composed.stream.bank;
        match &composed.destination {
            Destination::AllBut(_) | Destination::NewTo { .. } => self.of(bank),
            // A holder with other lines or another choice has another bank.
            Destination::Only(listener) if self.bank_of(*listener) == Some(bank) => {
                std::slice::from_ref(listener)
            }
            Destination::Only(_) => &[],
        }
    }

    /// Which bank this participant hears; nothing if they do not listen.
    pub(crate) fn bank_of(&self, key: ParticipantKey) -> Option<BankKey> {
        self.places.get(&key).map(|&(bank, _)| bank)
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
        let mut banks = SlotMap::<BankKey, ()>::with_key();
        let [shared, own] = [(); 2].map(|()| banks.insert(()));
        let mut audience = Audience::new(RandomState::with_seeds(1, 2, 3, 4));
        for key in [a, b, c, a] {
            audience.seat(key, shared);
        }
        audience.remove(a);
        audience.remove(a);
        assert_eq!(audience.of(shared), [c, b]);
        audience.seat(c, own);
        assert_eq!(
            (audience.of(shared), audience.of(own)),
            (&[b][..], &[c][..])
        );
        assert_eq!(
            (audience.bank_of(b), audience.bank_of(a)),
            (Some(shared), None)
        );
        audience.remove(c);
        assert_eq!(audience.of(own), []);
    }
}
