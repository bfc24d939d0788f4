//! Who is heard: levels in, slots out.

mod bank;
mod banks;
mod breath;
mod dominant;
mod fill;
mod level;
mod ranking;
mod speaker;
mod withhold;

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use ahash::RandomState;
use rand::Rng;

use self::{
    bank::{Arrival, Placed},
    banks::Banks,
    dominant::Dominant,
    ranking::Candidate,
    speaker::{Speaker, Speakers},
};
use crate::{
    audio_level::{AudioLevel, LevelExtension},
    compose::{Composed, StreamId},
    error::Error,
    event::ActiveSpeakers,
    ids::{Csrc, ParticipantId},
    keys::{BankKey, ParticipantKey},
    limits::{ACTIVE_SPEAKERS_INTERVAL, MAX_TALKERS_RANKED},
    red::Payload,
    rtp::opus_ticks,
    settings::{AudioMode, RoomSettings},
    splice::Place,
    subscription::Subscription,
};

/// A speaker's packet, as it came from their session.
#[derive(Debug, Clone)]
pub(crate) struct SpeakerPacket {
    pub(crate) ssrc: u32,
    pub(crate) place: Place,
    pub(crate) level: Option<LevelExtension>,
    pub(crate) payload: Payload,
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
    speakers: Speakers,
    /// Those of them who talk, or did so a moment ago. Where everyone may speak, nearly all are on the
    /// stage; what is decided again and again must cost no more than those who use it.
    talkers: BTreeSet<ParticipantKey>,
    banks: Banks,
    /// How much of what nobody heard is sent along when its speaker takes a slot.
    preroll: Duration,
    dominant: Dominant<ParticipantKey>,
    /// Those whose levels are not believed.
    distrusted: BTreeSet<ParticipantKey>,
    /// When the last report of who is heard was made, and whether it named anybody.
    reported: Option<(Instant, bool)>,
    /// Kept for its allocation.
    candidates: Vec<Candidate<ParticipantKey>>,
}

impl Stage {
    pub(crate) fn new(settings: &RoomSettings, hasher: &RandomState, rng: &mut impl Rng) -> Self {
        Self {
            speakers: HashMap::with_hasher(hasher.clone()),
            talkers: BTreeSet::new(),
            banks: Banks::new(settings.audio_slots.count(), hasher.clone(), rng),
            preroll: settings.speech_preroll.duration(),
            dominant: Dominant::new(),
            distrusted: BTreeSet::new(),
            reported: None,
            candidates: Vec::new(),
        }
    }

    /// The slots for one more listener who has so many lines and makes such a choice; they hear by it
    /// from now on.
    ///
    /// # Errors
    /// [`Error::SubscriptionLimit`].
    pub(crate) fn take_bank(
        &mut self,
        now: Instant,
        subscription: &Subscription,
        lines: usize,
        rng: &mut impl Rng,
    ) -> Result<BankKey, Error> {
        let (key, is_new) = self.banks.take(subscription, lines, rng)?;
        if is_new {
            self.rank(now);
        }
        Ok(key)
    }

    /// A listener is gone from these slots, perhaps to others of this room; what they have heard here
    /// is not sent again.
    pub(crate) fn give_back_bank(&mut self, key: BankKey) {
        for talker in &self.talkers {
            let speaker = self.speakers.get_mut(talker);
            if let Some(speaker) = speaker.filter(|speaker| speaker.heard_in.contains(&key)) {
                speaker.preroll.clear();
            }
        }
        if self.banks.give_back(key) {
            self.note_who_is_heard();
        }
    }

    /// Follows the room's settings.
    pub(crate) fn set(&mut self, now: Instant, settings: &RoomSettings) {
        self.preroll = settings.speech_preroll.duration();
        let slots = settings.audio_slots.count();
        if self.banks.slots() != slots {
            self.banks.resize(slots);
            self.rank(now);
        }
    }

    /// Lets somebody be heard; for somebody who is, only the mode may be another one.
    pub(crate) fn add(
        &mut self,
        key: ParticipantKey,
        participant: &ParticipantId,
        csrc: Csrc,
        mode: AudioMode,
    ) {
        let new = || Speaker::new(participant.clone(), csrc, mode);
        self.speakers.entry(key).or_insert_with(new).mode = mode;
    }

    /// Takes somebody off the stage; their slot is free at once.
    pub(crate) fn remove(&mut self, now: Instant, key: ParticipantKey) {
        self.speakers.remove(&key);
        self.distrusted.remove(&key);
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
        let heard = self.listen(now, key, packet);
        let Self {
            speakers,
            banks,
            preroll,
            ..
        } = self;
        let Some(speaker) = speakers.get_mut(&key) else {
            return Heard::NotOnStage;
        };
        let is_heard_by_all = send(now, key, speaker, packet, banks, *preroll, &mut emit);
        match is_heard_by_all {
            true => speaker.preroll.clear(),
            false => speaker.preroll.keep(now, packet, *preroll),
        }
        heard
    }

    /// Notes what a packet says of whoever sent it, and what follows of that for who is heard.
    fn listen(&mut self, now: Instant, key: ParticipantKey, packet: &SpeakerPacket) -> Heard {
        let Some(speaker) = self.speakers.get_mut(&key) else {
            return Heard::NotOnStage;
        };
        if !speaker.update(now, packet) {
            return Heard::Silence;
        }
        // A voice that begins does not wait for the ranking's turn: a slot may be free. One that goes
        // on has been looked at.
        if self.talkers.insert(key) {
            self.rank(now);
        }
        Heard::Voice
    }

    /// Who holds each slot, as those hear it who have made no choice, and since when.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Option<(ParticipantKey, Instant)>> {
        self.banks.house().slots()
    }

    /// Whom those hear who hold the slots.
    pub(crate) fn understudy(&self) -> Option<ParticipantKey> {
        self.banks.house().understudy()
    }

    /// The smoothed level of somebody who may be heard.
    pub(crate) fn level_of(&self, key: ParticipantKey) -> Option<AudioLevel> {
        Some(self.speakers.get(&key)?.loudness().level())
    }

    /// Decides anew who holds the slots. Returns whether anybody talks, so whether it has to be
    /// decided again before the next voiced packet.
    pub(crate) fn rank(&mut self, now: Instant) -> bool {
        let Self {
            speakers,
            talkers,
            candidates,
            ..
        } = self;
        candidates.clear();
        talkers.retain(|&key| {
            let Some(speaker) = speakers.get_mut(&key) else {
                return false;
            };
            let candidate = speaker.candidate(now, key);
            match candidate.talks() {
                true => candidates.push(candidate),
                false => speaker.falls_silent(),
            }
            candidate.talks()
        });
        let somebody_talks = !candidates.is_empty();
        if candidates.len() > MAX_TALKERS_RANKED {
            let order = |candidate: &Candidate<_>| Reverse((candidate.precedence(), candidate.key));
            candidates.select_nth_unstable_by_key(MAX_TALKERS_RANKED, order);
            candidates.truncate(MAX_TALKERS_RANKED);
        }
        self.banks.rank(now, &self.speakers, &self.candidates);
        self.note_who_is_heard();
        let heard: BTreeSet<_> = self.banks.heard_in_the_house().collect();
        let is_heard = |candidate: &Candidate<_>| heard.contains(&candidate.key);
        let heard = self.candidates.iter().copied().filter(is_heard);
        self.dominant.update(now, heard);
        somebody_talks
    }

    /// Notes with each speaker where they are heard, so that their packets find it without a search.
    fn note_who_is_heard(&mut self) {
        for key in &self.talkers {
            if let Some(speaker) = self.speakers.get_mut(key) {
                speaker.was_heard_in.clear();
                let Speaker {
                    heard_in,
                    was_heard_in,
                    ..
                } = speaker;
                std::mem::swap(heard_in, was_heard_in);
            }
        }
        for (bank, key) in self.banks.heard() {
            if let Some(speaker) = self.speakers.get_mut(&key) {
                speaker.heard_in.push(bank);
            }
        }
        for key in &self.talkers {
            if let Some(speaker) = self.speakers.get_mut(key) {
                speaker.forget_what_was_heard();
            }
        }
    }

    /// Whose levels have begun or ceased to be believed since the last call, and whether they are not.
    pub(crate) fn changes_of_trust(&mut self, now: Instant) -> Vec<(ParticipantKey, bool)> {
        let is_breathless = |key| {
            let speaker = self
                .speakers
                .get(key)
                .filter(|_| self.talkers.contains(key));
            speaker.is_some_and(|speaker| speaker.is_breathless(now))
        };
        let those = self.talkers.union(&self.distrusted);
        let changes: Vec<_> = those
            .map(|key| (*key, is_breathless(key)))
            .filter(|(key, is_distrusted)| *is_distrusted != self.distrusted.contains(key))
            .collect();
        for (key, is_distrusted) in &changes {
            match is_distrusted {
                true => self.distrusted.insert(*key),
                false => self.distrusted.remove(key),
            };
        }
        changes
    }

    /// Whether the last report named somebody, so that another one has to follow when all is silent.
    pub(crate) fn owes_report(&self) -> bool {
        self.reported.is_some_and(|(_, named)| named)
    }

    /// Who is heard, when it is time to say so: at most once in [`ACTIVE_SPEAKERS_INTERVAL`], and
    /// nothing again and again when nobody is.
    pub(crate) fn report(&mut self, now: Instant) -> Option<ActiveSpeakers> {
        let due = self
            .reported
            .is_none_or(|(at, _)| now >= at + ACTIVE_SPEAKERS_INTERVAL);
        if !due {
            return None;
        }
        let heard: BTreeSet<_> = self.banks.heard_in_the_house().collect();
        let name = |key: &ParticipantKey| self.speakers.get(key);
        let leader = self.dominant.leader();
        let mut speakers: Vec<_> = heard
            .iter()
            .filter_map(|key| Some((*key, name(key)?)))
            .collect();
        // Whoever leads is among those who are named, also in a pause.
        let quietness = |speaker: &Speaker| speaker.loudness().level().minus_dbov();
        speakers.sort_by_key(|&(key, speaker)| (Some(key) != leader, quietness(speaker)));
        speakers.truncate(self.banks.slots());
        speakers.sort_by_key(|(_, speaker)| quietness(speaker));
        let describe = |(_, speaker): (_, &Speaker)| {
            let level = speaker.loudness().level();
            (speaker.participant.clone(), level)
        };
        let speakers: Vec<_> = speakers.into_iter().map(describe).collect();
        if speakers.is_empty() && !self.owes_report() {
            return None;
        }
        self.reported = Some((now, !speakers.is_empty()));
        let dominant = leader.and_then(|key| Some(name(&key)?.participant.clone()));
        Some(ActiveSpeakers { speakers, dominant })
    }
}

/// Sends a packet where its speaker is heard, and before it what nobody there has heard yet. Returns
/// whether it went to others than those who hold the slots.
fn send(
    now: Instant,
    key: ParticipantKey,
    speaker: &mut Speaker,
    packet: &SpeakerPacket,
    banks: &mut Banks,
    preroll: Duration,
    emit: &mut impl FnMut(Composed),
) -> bool {
    let has_just_begun = speaker.has_just_begun(now);
    let Speaker {
        csrc,
        heard_in,
        preroll: kept,
        ..
    } = speaker;
    let before = kept.recent(now, preroll).filter(|_| has_just_begun);
    let before = before.map(|(at, packet)| Arrival::new(*at, key, packet));
    let arrival = Arrival::new(now, key, packet);
    let mut is_heard_by_all = false;
    for &bank in heard_in.iter() {
        let Some(slots) = banks.get_mut(bank) else {
            continue;
        };
        let budget = opus_ticks(preroll);
        slots.place(
            arrival,
            before.clone(),
            budget,
            |arrival, placed: Placed| {
                is_heard_by_all |= placed.is_main;
                let stream = StreamId {
                    bank,
                    slot: placed.slot,
                    tenure: placed.tenure,
                    is_main: placed.is_main,
                };
                emit(Composed {
                    stream,
                    destination: placed.destination,
                    place: placed.place,
                    arrived: arrival.at,
                    preroll: placed.preroll,
                    csrc: *csrc,
                    level: arrival.packet.level,
                    payload: arrival.packet.payload.clone(),
                });
            },
        );
    }
    is_heard_by_all
}
