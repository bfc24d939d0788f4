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

    /// How many have to be asked about a packet with [`Audience::listener`].
    pub(crate) fn candidates(&self, composed: &Composed) -> usize {
        match composed.destination {
            Destination::AllBut(_) | Destination::NewTo { .. } => {
                self.of(composed.stream.bank).len()
            }
            Destination::Only(_) => 1,
        }
    }

    /// Who hears a packet, by index. Nobody, where it is the speaker's own or for somebody of another
    /// bank.
    pub(crate) fn listener(&self, composed: &Composed, index: usize) -> Option<ParticipantKey> {
        let bank = composed.stream.bank;
        match composed.destination {
            Destination::AllBut(speaker) => {
                let listener = self.of(bank).get(index).copied();
                listener.filter(|&listener| listener != speaker)
            }
            Destination::NewTo { speaker, knew } => {
                let listener = self.of(bank).get(index).copied();
                listener.filter(|&listener| listener != speaker && !knew.contains(&Some(listener)))
            }
            // A holder with other lines or another choice has another bank.
            Destination::Only(listener) => {
                (self.bank_of(listener) == Some(bank)).then_some(listener)
            }
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
