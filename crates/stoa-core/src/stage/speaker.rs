//! Somebody who may be heard: how loud they are, and what they said last.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use ahash::RandomState;

use super::{
    SpeakerPacket,
    breath::Breath,
    level::{Loudness, is_silence, packet_level},
    ranking::Candidate,
};
use crate::{
    ids::{Csrc, ParticipantId},
    keys::{BankKey, ParticipantKey},
    limits::{BEGINNING, MAX_PREROLL_PACKETS, PAUSE},
    settings::AudioMode,
};

/// All speakers of a room.
pub(crate) type Speakers = HashMap<ParticipantKey, Speaker, RandomState>;

/// Somebody on the stage.
#[derive(Debug)]
pub(crate) struct Speaker {
    pub(crate) participant: ParticipantId,
    pub(crate) csrc: Csrc,
    pub(crate) mode: AudioMode,
    loudness: Loudness,
    breath: Breath,
    /// When they last began to talk.
    began: Option<Instant>,
    /// Where they are heard.
    pub(crate) heard_in: Vec<BankKey>,
    /// Where they were heard before the last ranking. Kept for its allocation.
    pub(crate) was_heard_in: Vec<BankKey>,
    pub(crate) preroll: Preroll,
}

impl Speaker {
    pub(crate) fn new(participant: ParticipantId, csrc: Csrc, mode: AudioMode) -> Self {
        Self {
            participant,
            csrc,
            mode,
            loudness: Loudness::new(),
            breath: Breath::new(),
            began: None,
            heard_in: Vec::new(),
            was_heard_in: Vec::new(),
            preroll: Preroll::default(),
        }
    }

    /// Takes what a packet says of its level. Returns whether it is to be heard.
    pub(crate) fn update(&mut self, now: Instant, packet: &SpeakerPacket) -> bool {
        let payload = &packet.payload.opus;
        let level = packet_level(packet.level, payload.len());
        self.breath.update(now, level);
        let pause = |at| now.saturating_duration_since(at);
        let is_rested = self
            .loudness
            .last_voiced()
            .is_none_or(|at| pause(at) >= PAUSE);
        let is_voiced = self.loudness.update(now, level);
        if is_voiced && is_rested {
            self.began = Some(now);
        }
        // A quiet passage is music, too.
        let is_music = self.mode == AudioMode::Music && !is_silence(payload.len());
        if is_music {
            self.loudness.sounded(now);
        }
        is_voiced || is_music
    }

    /// Whether they have only just begun to talk, so that what was kept is sent if they take a slot.
    pub(crate) fn has_just_begun(&self, now: Instant) -> bool {
        let is_recent = |at| now.saturating_duration_since(at) <= BEGINNING;
        self.began.is_some_and(is_recent)
    }

    /// They talk no more, and are heard nowhere.
    pub(crate) fn falls_silent(&mut self) {
        std::mem::swap(&mut self.heard_in, &mut self.was_heard_in);
        self.heard_in.clear();
        self.forget_what_was_heard();
    }

    /// Where they are not heard any more, somebody may have heard them as understudy; and who that was,
    /// nobody remembers. What was kept for the moment when they take a slot is not sent again.
    pub(crate) fn forget_what_was_heard(&mut self) {
        let heard_in = &self.heard_in;
        if self
            .was_heard_in
            .iter()
            .any(|bank| !heard_in.contains(bank))
        {
            self.preroll.clear();
        }
    }

    /// Whether they have claimed a voice for longer than anybody can talk.
    pub(crate) fn is_breathless(&self, now: Instant) -> bool {
        self.mode == AudioMode::Speech && self.breath.is_missing(now)
    }

    /// As the ranking sees them.
    pub(crate) fn candidate(&self, now: Instant, key: ParticipantKey) -> Candidate<ParticipantKey> {
        let last_voiced = self.loudness.last_voiced();
        Candidate {
            key,
            // What is not believed gives way to every voice.
            decibels: match self.is_breathless(now) {
                true => 0,
                false => self.loudness.decibels(),
            },
            silent_for: last_voiced.map(|at| now.saturating_duration_since(at)),
            is_pinned: self.mode == AudioMode::Music,
        }
    }

    pub(crate) fn loudness(&self) -> &Loudness {
        &self.loudness
    }
}

/// The last packets of a speaker that nobody has heard, but for those who hold the slots.
#[derive(Debug, Default)]
pub(crate) struct Preroll(VecDeque<(Instant, SpeakerPacket)>);

impl Preroll {
    /// Keeps a packet, and forgets those that are older than `span`.
    pub(crate) fn keep(&mut self, now: Instant, packet: &SpeakerPacket, span: Duration) {
        self.forget_before(now, span);
        if span.is_zero() {
            return;
        }
        if self.0.len() >= MAX_PREROLL_PACKETS {
            self.0.pop_front();
        }
        self.0.push_back((now, packet.clone()));
    }

    pub(crate) fn packet_count(&self) -> usize {
        self.0.len()
    }

    fn forget_before(&mut self, now: Instant, span: Duration) {
        let is_old = |at: Instant| now.saturating_duration_since(at) > span;
        while self.0.front().is_some_and(|&(at, _)| is_old(at)) {
            self.0.pop_front();
        }
    }

    /// What was kept and is not older than `span`, oldest first, with the time of its arrival.
    pub(crate) fn recent(
        &mut self,
        now: Instant,
        span: Duration,
    ) -> impl Iterator<Item = &(Instant, SpeakerPacket)> + Clone {
        self.forget_before(now, span);
        self.0.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
