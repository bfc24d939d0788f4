//! Who listens in a room from seats of one node, by the bank of slots that they share.

use std::collections::HashMap;

use ahash::RandomState;
use slotmap::SecondaryMap;

use crate::{
    compose::Destination,
    keys::{BankKey, ParticipantKey, SessionKey},
    limits::MAX_AUDIO_SLOTS,
};

/// How many may come and go before a small room is put in order again.
const MIN_CHANGES: usize = 64;

/// The listeners of a room. Joining and leaving cost the same however many there are.
#[derive(Debug)]
pub(crate) struct Audience {
    /// Who hears each bank, in the order of their keys but for the latest changes: what is kept of them is
    /// in memory in that order (docs/adr/0008).
    by_bank: SecondaryMap<BankKey, Vec<SessionKey>>,
    /// Where each listener stands: which bank, and the index there.
    places: HashMap<SessionKey, (BankKey, usize), RandomState>,
    /// Whose session is whose.
    sessions: HashMap<ParticipantKey, SessionKey, RandomState>,
    /// How many have come or gone since all were in order.
    changes: usize,
}

/// A packet's destination, in sessions of this node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hearers {
    /// Everybody of this bank but those.
    AllBut(BankKey, LeftOut),
    /// One listener.
    Only(SessionKey),
    /// Nobody here.
    Nobody,
}

/// Listeners for whom a packet is not although their bank hears it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LeftOut {
    count: usize,
    /// The speaker, and who held the slots.
    sessions: [SessionKey; 1 + MAX_AUDIO_SLOTS],
}

impl LeftOut {
    fn add(&mut self, session: SessionKey) {
        if let Some(place) = self.sessions.get_mut(self.count) {
            *place = session;
            self.count += 1;
        }
    }

    fn contains(&self, session: SessionKey) -> bool {
        self.sessions[..self.count].contains(&session)
    }
}

impl Hearers {
    /// Whether a packet is left out for this listener although they are among those of
    /// [`Audience::of`].
    pub(crate) fn leave_out(&self, session: SessionKey) -> bool {
        match self {
            Self::AllBut(_, left_out) => left_out.contains(session),
            Self::Only(_) | Self::Nobody => false,
        }
    }
}

impl Audience {
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            by_bank: SecondaryMap::new(),
            places: HashMap::with_hasher(hasher.clone()),
            sessions: HashMap::with_hasher(hasher),
            changes: 0,
        }
    }

    /// Seats a listener at a bank; whoever sits at another one moves.
    pub(crate) fn seat(&mut self, participant: ParticipantKey, key: SessionKey, bank: BankKey) {
        if self.bank_of(key) == Some(bank) {
            return;
        }
        self.unseat(key);
        self.sessions.insert(participant, key);
        if !self.by_bank.contains_key(bank) {
            self.by_bank.insert(bank, Vec::new());
        }
        let listeners = &mut self.by_bank[bank];
        self.places.insert(key, (bank, listeners.len()));
        listeners.push(key);
        self.changes += 1;
        // After so many, the cost of sorting is little for each.
        if self.changes > MIN_CHANGES + self.places.len() / 8 {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.changes = 0;
        for (bank, listeners) in &mut self.by_bank {
            listeners.sort_unstable();
            for (index, &key) in listeners.iter().enumerate() {
                self.places.insert(key, (bank, index));
            }
        }
    }

    /// Removes a listener, if they are in.
    pub(crate) fn remove(&mut self, participant: ParticipantKey) {
        if let Some(key) = self.sessions.remove(&participant) {
            self.unseat(key);
        }
    }

    fn unseat(&mut self, key: SessionKey) {
        let Some((bank, index)) = self.places.remove(&key) else {
            return;
        };
        let listeners = &mut self.by_bank[bank];
        listeners.swap_remove(index);
        self.changes += 1;
        if let Some(moved) = listeners.get(index) {
            self.places.insert(*moved, (bank, index));
        }
        if listeners.is_empty() {
            self.by_bank.remove(bank);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Who of this bank's listeners a packet is for.
    pub(crate) fn resolve(&self, bank: BankKey, destination: &Destination) -> Hearers {
        let session = |participant: &ParticipantKey| self.sessions.get(participant).copied();
        let mut left_out = LeftOut::default();
        match destination {
            // A holder with other lines or another choice has another bank.
            Destination::Only(listener) => match session(listener) {
                Some(key) if self.bank_of(key) == Some(bank) => return Hearers::Only(key),
                _ => return Hearers::Nobody,
            },
            Destination::AllBut(speaker) => session(speaker)
                .into_iter()
                .for_each(|key| left_out.add(key)),
            Destination::NewTo { speaker, knew } => {
                let those = knew.iter().flatten().chain([speaker]);
                those.filter_map(session).for_each(|key| left_out.add(key));
            }
        }
        Hearers::AllBut(bank, left_out)
    }

    /// Who may be sent a packet, with some among them perhaps for whom it is not
    /// ([`Hearers::leave_out`]).
    pub(crate) fn of<'a>(&'a self, hearers: &'a Hearers) -> &'a [SessionKey] {
        match hearers {
            Hearers::AllBut(bank, _) => self.by_bank.get(*bank).map_or(&[], Vec::as_slice),
            Hearers::Only(session) => std::slice::from_ref(session),
            Hearers::Nobody => &[],
        }
    }

    /// Which bank this session hears; nothing if it does not listen.
    fn bank_of(&self, key: SessionKey) -> Option<BankKey> {
        self.places.get(&key).map(|&(bank, _)| bank)
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    struct House {
        audience: Audience,
        people: Vec<(ParticipantKey, SessionKey)>,
        banks: [BankKey; 2],
    }

    impl House {
        fn new() -> Self {
            let mut participants = SlotMap::<ParticipantKey, ()>::with_key();
            let mut sessions = SlotMap::<SessionKey, ()>::with_key();
            let mut banks = SlotMap::<BankKey, ()>::with_key();
            // Keys of the two kinds differ, or a mistake of one for the other would not be seen.
            sessions.insert(());
            Self {
                audience: Audience::new(RandomState::with_seeds(1, 2, 3, 4)),
                people: (0..3)
                    .map(|_| (participants.insert(()), sessions.insert(())))
                    .collect(),
                banks: [(); 2].map(|()| banks.insert(())),
            }
        }

        fn seat(&mut self, who: usize, bank: usize) {
            let (participant, session) = self.people[who];
            self.audience.seat(participant, session, self.banks[bank]);
        }

        fn hearing(&self, bank: usize, destination: Destination) -> Vec<usize> {
            let hearers = self.audience.resolve(self.banks[bank], &destination);
            let all = self.audience.of(&hearers).iter();
            let those = all.filter(|session| !hearers.leave_out(**session));
            let number = |session| self.people.iter().position(|person| person.1 == session);
            those.filter_map(|session| number(*session)).collect()
        }
    }

    #[test]
    fn those_who_stay_are_found_after_others_leave() {
        let mut house = House::new();
        let nobody = Destination::AllBut(ParticipantKey::default());
        let [a, b, c] = [0, 1, 2];
        for who in [a, b, c, a] {
            house.seat(who, 0);
        }
        house.audience.remove(house.people[a].0);
        house.audience.remove(house.people[a].0);
        assert_eq!(house.hearing(0, nobody), [c, b]);
        house.seat(c, 1);
        assert_eq!(
            (house.hearing(0, nobody), house.hearing(1, nobody)),
            (vec![b], vec![c])
        );
        house.audience.remove(house.people[c].0);
        assert_eq!(house.hearing(1, nobody), []);
        assert!(!house.audience.is_empty());
        house.audience.remove(house.people[b].0);
        assert!(house.audience.is_empty());
    }

    #[test]
    fn a_packet_is_for_whom_it_says() {
        let mut house = House::new();
        let [a, b, c] = [0, 1, 2];
        for (who, bank) in [(a, 0), (b, 0), (c, 1)] {
            house.seat(who, bank);
        }
        let key = |house: &House, who: usize| house.people[who].0;
        let only = |house: &House, who| Destination::Only(key(house, who));
        assert_eq!(house.hearing(0, Destination::AllBut(key(&house, a))), [b]);
        assert_eq!(house.hearing(0, only(&house, b)), [b]);
        assert_eq!(house.hearing(0, only(&house, c)), [], "of another bank");
        let mut knew = [None; MAX_AUDIO_SLOTS];
        knew[3] = Some(key(&house, b));
        let speaker = key(&house, c);
        assert_eq!(house.hearing(0, Destination::NewTo { speaker, knew }), [a]);
    }

    #[test]
    fn after_many_changes_all_are_in_order() {
        let mut participants = SlotMap::<ParticipantKey, ()>::with_key();
        let mut sessions = SlotMap::<SessionKey, ()>::with_key();
        let people: Vec<_> = (0..500)
            .map(|_| (participants.insert(()), sessions.insert(())))
            .collect();
        let bank = SlotMap::<BankKey, ()>::with_key().insert(());
        let mut audience = Audience::new(RandomState::with_seeds(1, 2, 3, 4));
        let seat = |audience: &mut Audience, index: usize| {
            let (participant, session) = people[index];
            audience.seat(participant, session, bank);
        };
        (0..500).for_each(|index| seat(&mut audience, index));
        for index in (0..500).map(|index| index * 7 % 500) {
            audience.remove(people[index].0);
            seat(&mut audience, index);
        }
        let everybody = audience.resolve(bank, &Destination::AllBut(ParticipantKey::default()));
        let out_of_order = |audience: &Audience| {
            let pairs = audience.of(&everybody).windows(2);
            pairs.filter(|pair| pair[0] > pair[1]).count()
        };
        assert!(out_of_order(&audience) <= MIN_CHANGES + 500 / 8);
        audience.sort();
        assert_eq!(out_of_order(&audience), 0);
        for (participant, _) in &people {
            audience.remove(*participant);
        }
        assert!(audience.is_empty());
    }
}
