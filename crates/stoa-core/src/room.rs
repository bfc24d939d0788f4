//! A room: who is in it, who may be heard, who listens.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Instant,
};

use ahash::RandomState;
use rand::Rng;

use crate::{
    error::Error,
    event::{RoomEvent, RoomEventKind},
    ids::{Csrc, ParticipantId, Revision, RoomId, WorkerId},
    keys::{BankKey, ParticipantKey},
    limits::MAX_MODERATOR_MUTES,
    quota::QuotaIndex,
    settings::RoomSettings,
    stage::Stage,
};

/// One room.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    revision: Revision,
    pub(crate) settings: RoomSettings,
    /// Whom a moderator has muted: participants, and names that were participants.
    moderator_mutes: BTreeSet<ParticipantId>,
    pub(crate) members: BTreeMap<ParticipantId, ParticipantKey>,
    csrcs: HashSet<Csrc, RandomState>,
    pub(crate) stage: Stage,
    /// How many listen from seats at each worker.
    hearing: BTreeMap<WorkerId, usize>,
    /// What its tenant may forward, if that has a limit.
    pub(crate) quota: Option<QuotaIndex>,
    /// Packets of its speakers that were beyond that, one for each listener.
    pub(crate) over_quota: u64,
    /// Whether a ranking is due some time.
    pub(crate) is_ranking: bool,
    /// Since when nobody is in it; of no meaning while somebody is.
    pub(crate) empty_since: Instant,
    /// When somebody was last heard; before that, when it was created.
    pub(crate) last_voice: Instant,
}

impl Room {
    /// An empty room, at revision 1.
    pub(crate) fn new(
        now: Instant,
        id: RoomId,
        settings: RoomSettings,
        hasher: &RandomState,
        rng: &mut impl Rng,
    ) -> Self {
        Self {
            id,
            revision: Revision(1),
            moderator_mutes: BTreeSet::new(),
            members: BTreeMap::new(),
            csrcs: HashSet::with_hasher(hasher.clone()),
            stage: Stage::new(&settings, hasher, rng),
            hearing: BTreeMap::new(),
            quota: None,
            over_quota: 0,
            is_ranking: false,
            empty_since: now,
            last_voice: now,
            settings,
        }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Notes a change of the room and describes it.
    pub(crate) fn changed(&mut self, kind: RoomEventKind) -> RoomEvent {
        self.revision = self.revision.next();
        self.event(kind)
    }

    /// Describes something that does not change the room.
    pub(crate) fn event(&self, kind: RoomEventKind) -> RoomEvent {
        RoomEvent {
            room: self.id.clone(),
            revision: self.revision,
            kind,
        }
    }

    /// How many names a moderator has muted.
    pub(crate) fn moderator_mutes(&self) -> usize {
        self.moderator_mutes.len()
    }

    /// Whether a moderator has muted whoever has this name.
    pub(crate) fn is_muted_by_moderator(&self, participant: &ParticipantId) -> bool {
        self.moderator_mutes.contains(participant)
    }

    /// Remembers a moderator's mute, or forgets it.
    ///
    /// # Errors
    /// [`Error::MuteLimit`].
    pub(crate) fn set_muted_by_moderator(
        &mut self,
        participant: &ParticipantId,
        muted: bool,
    ) -> Result<(), Error> {
        if !muted {
            self.moderator_mutes.remove(participant);
        } else if !self.moderator_mutes.contains(participant) {
            if self.moderator_mutes.len() >= MAX_MODERATOR_MUTES {
                return Err(Error::MuteLimit);
            }
            self.moderator_mutes.insert(participant.clone());
        }
        Ok(())
    }

    /// A new CSRC that nobody in the room has.
    pub(crate) fn take_csrc(&mut self, rng: &mut impl Rng) -> Csrc {
        loop {
            // Zero is left out: it looks like "none" in many places.
            let csrc = Csrc(rng.random_range(1..=u32::MAX));
            if self.csrcs.insert(csrc) {
                return csrc;
            }
        }
    }

    /// Notes that one more listens from a seat at this worker, by this bank.
    pub(crate) fn starts_to_hear(&mut self, seat: WorkerId, bank: Option<BankKey>) {
        *self.hearing.entry(seat).or_default() += 1;
        self.stage.starts_to_hear(bank);
    }

    /// Notes that one fewer does.
    pub(crate) fn ceases_to_hear(&mut self, seat: WorkerId, bank: Option<BankKey>) {
        self.stage.ceases_to_hear(bank);
        if let Some(count) = self.hearing.get_mut(&seat) {
            *count -= 1;
            if *count == 0 {
                self.hearing.remove(&seat);
            }
        }
    }

    /// From where anybody listens.
    pub(crate) fn hearing(&self) -> impl Iterator<Item = WorkerId> {
        self.hearing.keys().copied()
    }

    /// Lets others have the CSRC.
    pub(crate) fn return_csrc(&mut self, csrc: Csrc) {
        self.csrcs.remove(&csrc);
    }
}
