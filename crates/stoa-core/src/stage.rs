//! Who is heard: levels in, slots out.

mod bank;
mod level;
mod ranking;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use ahash::RandomState;
use rand::Rng;

use self::{
    bank::{Bank, Placed},
    level::{Loudness, packet_level},
    ranking::Candidate,
};
use crate::{
    audio_level::{AudioLevel, LevelExtension},
    compose::{Composed, Source},
    ids::{Csrc, ParticipantId},
    keys::ParticipantKey,
    limits::{ACTIVE_SPEAKERS_INTERVAL, MAX_AUDIO_SLOTS},
    splice::Place,
};

/// Somebody who may be heard.
#[derive(Debug)]
struct Speaker {
    participant: ParticipantId,
    csrc: Csrc,
    loudness: Loudness,
}

impl Speaker {
    fn candidate(&self, now: Instant, key: ParticipantKey) -> Candidate<ParticipantKey> {
        let last_voiced = self.loudness.last_voiced();
        Candidate {
            key,
            decibels: self.loudness.decibels(),
            silent_for: last_voiced.map(|at| now.saturating_duration_since(at)),
        }
    }
}

/// A speaker's packet, as it came from their session.
#[derive(Debug, Clone)]
pub(crate) struct SpeakerPacket {
    pub(crate) ssrc: u32,
    pub(crate) place: Place,
    pub(crate) level: Option<LevelExtension>,
    pub(crate) payload: Arc<[u8]>,
}

/// What became of a packet on the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It carries a voice.
    Voice,
    /// It carries none.
    Silence,
    /// It is of somebody who may not be heard, and went nowhere.
    NotOnStage,
}

/// The stage of one room.
#[derive(Debug)]
pub(crate) struct Stage {
    speakers: HashMap<ParticipantKey, Speaker, RandomState>,
    /// Those of them who talk, or did so a moment ago. Where everyone may speak, nearly all are on the
    /// stage; what is decided again and again must cost no more than those who use it.
    talkers: BTreeSet<ParticipantKey>,
    /// At `lines - 1`: the slots for listeners with that many audio lines, once there was one.
    banks: [Option<Bank>; MAX_AUDIO_SLOTS],
    /// How many slots the room has.
    slots: usize,
    /// When the last report of who is heard was made, and whether it named anybody.
    reported: Option<(Instant, bool)>,
}

impl Stage {
    pub(crate) fn new(slots: usize, hasher: RandomState) -> Self {
        Self {
            speakers: HashMap::with_hasher(hasher),
            talkers: BTreeSet::new(),
            banks: Default::default(),
            slots,
            reported: None,
        }
    }

    /// Makes sure that there are slots for listeners with so many lines.
    pub(crate) fn open_bank(&mut self, lines: usize, rng: &mut impl Rng) {
        let index = lines.clamp(1, MAX_AUDIO_SLOTS) - 1;
        self.banks[index].get_or_insert_with(|| Bank::new(index + 1, self.slots, rng));
    }

    /// Gives the room another number of slots.
    pub(crate) fn resize(&mut self, now: Instant, slots: usize) {
        self.slots = slots;
        for bank in self.banks.iter_mut().flatten() {
            bank.resize(slots);
        }
        self.rank(now);
    }

    /// Lets somebody be heard; nothing changes for somebody who is.
    pub(crate) fn add(&mut self, key: ParticipantKey, participant: ParticipantId, csrc: Csrc) {
        self.speakers.entry(key).or_insert_with(|| Speaker {
            participant,
            csrc,
            loudness: Loudness::new(),
        });
    }

    /// Takes somebody off the stage; their slot is free at once.
    pub(crate) fn remove(&mut self, now: Instant, key: ParticipantKey) {
        self.speakers.remove(&key);
        if self.talkers.remove(&key) {
            self.rank(now);
        }
    }

    /// Takes a packet of somebody and hands on what is to be sent of it.
    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        key: ParticipantKey,
        packet: &SpeakerPacket,
        mut emit: impl FnMut(Composed),
    ) -> Heard {
        let Some(speaker) = self.speakers.get_mut(&key) else {
            return Heard::NotOnStage;
        };
        let level = packet_level(packet.level, packet.payload.len());
        let voiced = speaker.loudness.update(now, level);
        let csrc = speaker.csrc;
        if voiced {
            self.talkers.insert(key);
        }
        if voiced
            && self
                .banks
                .iter()
                .flatten()
                .any(|bank| bank.has_room_for(key))
        {
            self.rank(now);
        }
        let source = Source {
            participant: key,
            ssrc: packet.ssrc,
        };
        for bank in self.banks.iter_mut().flatten() {
            bank.place(now, source, packet.place, |placed: Placed| {
                emit(Composed {
                    stream: placed.stream,
                    destination: placed.destination,
                    place: placed.place,
                    csrc,
                    level: packet.level,
                    payload: Arc::clone(&packet.payload),
                });
            });
        }
        if voiced { Heard::Voice } else { Heard::Silence }
    }

    /// Decides anew who holds the slots. Returns whether anybody talks, so whether it has to be
    /// decided again before the next voiced packet.
    pub(crate) fn rank(&mut self, now: Instant) -> bool {
        let Self {
            speakers, talkers, ..
        } = self;
        let mut candidates = Vec::with_capacity(talkers.len());
        talkers.retain(|&key| {
            let candidate = speakers
                .get(&key)
                .map(|speaker| speaker.candidate(now, key));
            candidates.extend(candidate.filter(Candidate::talks));
            candidate.is_some_and(|candidate| candidate.talks())
        });
        for bank in self.banks.iter_mut().flatten() {
            bank.rank(now, &candidates);
        }
        !candidates.is_empty()
    }

    /// Whether the last report named somebody, so that another one has to follow when all is silent.
    pub(crate) fn owes_report(&self) -> bool {
        self.reported.is_some_and(|(_, named)| named)
    }

    /// Who is heard, loudest first, when it is time to say so: at most once in
    /// [`ACTIVE_SPEAKERS_INTERVAL`], and nothing again and again when nobody is.
    pub(crate) fn report(&mut self, now: Instant) -> Option<Vec<(ParticipantId, AudioLevel)>> {
        let due = self
            .reported
            .is_none_or(|(at, _)| now >= at + ACTIVE_SPEAKERS_INTERVAL);
        if !due {
            return None;
        }
        let banks = || self.banks.iter().flatten();
        let heard: BTreeSet<_> = banks().flat_map(Bank::heard).collect();
        let mut heard: Vec<_> = heard
            .into_iter()
            .filter_map(|key| self.speakers.get(&key))
            .map(|speaker| (speaker.participant.clone(), speaker.loudness.level()))
            .collect();
        heard.sort_by_key(|(_, level)| level.minus_dbov());
        heard.truncate(self.slots);
        if heard.is_empty() && !self.owes_report() {
            return None;
        }
        self.reported = Some((now, !heard.is_empty()));
        Some(heard)
    }
}
