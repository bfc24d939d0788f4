//! The slots that listeners with the same number of audio lines share.
//!
//! A listener with three lines hears the three loudest, one with a single line the loudest only. So
//! a room has one bank for each number of lines that its listeners have, and each bank chooses for
//! itself from the same speakers.
//!
//! Nobody hears themselves: whoever holds a slot hears the *understudy* in it, the loudest of those
//! without a slot. That is exactly "the loudest others" for every participant, at the cost of one
//! more stream for each slot, instead of a choice for each participant.

use std::time::Instant;

use rand::Rng;

use super::ranking::{Candidate, Choice, Holder, choose};
use crate::{
    compose::{Destination, Source, StreamId},
    ids::SlotIndex,
    keys::ParticipantKey,
    limits::MAX_AUDIO_SLOTS,
    rtp::{RtpTime, SeqExt},
    splice::{Place, Splice},
};

/// One slot of a bank.
#[derive(Debug)]
struct Slot {
    holder: Option<(ParticipantKey, Instant)>,
    /// How often it has changed hands.
    tenure: u64,
    /// What everybody hears except the holder.
    main: Splice<Source>,
    /// What the holder hears.
    understudy: Splice<Source>,
}

/// The slots for listeners with a certain number of lines.
#[derive(Debug)]
pub(crate) struct Bank {
    /// As many as its listeners have lines.
    slots: Vec<Slot>,
    /// How many of them may be held: fewer where the room has fewer slots than that.
    open: usize,
    understudy: Option<ParticipantKey>,
}

/// A packet with its place in one stream of a bank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) stream: StreamId,
    pub(crate) destination: Destination,
    pub(crate) place: Place,
}

impl Slot {
    fn hand_over(&mut self, holder: Option<(ParticipantKey, Instant)>) {
        self.holder = holder;
        self.tenure += 1;
        // Whoever gets the slot back has talked unheard in between.
        self.main.interrupt();
    }
}

impl Bank {
    /// A bank of `lines` slots, 1 to [`MAX_AUDIO_SLOTS`], in a room that has `room_slots`.
    pub(crate) fn new(lines: usize, room_slots: usize, rng: &mut impl Rng) -> Self {
        let mut stream = || Splice::new(SeqExt(0), RtpTime(rng.random()));
        let slot = |_| Slot {
            holder: None,
            tenure: 0,
            main: stream(),
            understudy: stream(),
        };
        Self {
            slots: (0..lines.min(MAX_AUDIO_SLOTS)).map(slot).collect(),
            open: lines.min(room_slots),
            understudy: None,
        }
    }

    /// Notes that the room has so many slots now. The next ranking frees those beyond.
    pub(crate) fn resize(&mut self, room_slots: usize) {
        self.open = self.slots.len().min(room_slots);
    }

    /// Whether a packet alone decides, without waiting for the ranking: somebody without a slot
    /// talks, and a slot is free.
    pub(crate) fn has_room_for(&self, key: ParticipantKey) -> bool {
        self.slots[..self.open]
            .iter()
            .any(|slot| slot.holder.is_none())
            && !self.holders().any(|holder| holder == key)
    }

    /// Who holds a slot.
    pub(crate) fn holders(&self) -> impl Iterator<Item = ParticipantKey> {
        self.slots
            .iter()
            .filter_map(|slot| slot.holder.map(|(key, _)| key))
    }

    /// Whom anybody hears: the holders, and whom they hear themselves.
    pub(crate) fn heard(&self) -> impl Iterator<Item = ParticipantKey> {
        self.holders().chain(self.understudy)
    }

    /// Gives the slots to those who shall have them.
    pub(crate) fn rank(&mut self, now: Instant, candidates: &[Candidate<ParticipantKey>]) {
        let mut holders = [None; MAX_AUDIO_SLOTS];
        for (holder, slot) in holders.iter_mut().zip(&self.slots) {
            *holder = slot.holder.map(|(key, since)| Holder {
                key,
                held_for: now.saturating_duration_since(since),
            });
        }
        let Choice { slots, understudy } =
            choose(&holders[..self.open], self.understudy, candidates);
        for (slot, key) in self.slots.iter_mut().zip(slots) {
            if slot.holder.map(|(key, _)| key) != key {
                slot.hand_over(key.map(|key| (key, now)));
            }
        }
        if self.understudy != understudy {
            self.understudy = understudy;
            for slot in &mut self.slots {
                slot.understudy.interrupt();
            }
        }
    }

    /// Where a packet of `source` goes: into the slot that it holds for everybody else, or, if it is
    /// the understudy, into every slot that is held, for its holder.
    pub(crate) fn place(
        &mut self,
        now: Instant,
        source: Source,
        packet: Place,
        mut emit: impl FnMut(Placed),
    ) {
        let lines = self.slots.len();
        let is_understudy = self.understudy == Some(source.participant);
        for (index, slot) in (0..).zip(&mut self.slots) {
            let Some((holder, _)) = slot.holder else {
                continue;
            };
            let (splice, is_main, destination) = if holder == source.participant {
                (&mut slot.main, true, Destination::AllBut(holder))
            } else if is_understudy {
                (&mut slot.understudy, false, Destination::Only(holder))
            } else {
                continue;
            };
            if let Some(place) = splice.place(now, source, packet) {
                let stream = StreamId {
                    lines,
                    slot: SlotIndex(index),
                    tenure: slot.tenure,
                    is_main,
                };
                emit(Placed {
                    stream,
                    destination,
                    place,
                });
            }
        }
    }
}
