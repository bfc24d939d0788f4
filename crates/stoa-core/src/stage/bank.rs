//! The slots that listeners share who have the same number of audio lines and want to hear the same
//! people.
//!
//! A listener with three lines hears the three loudest, one with a single line the loudest only, and
//! whoever has silenced somebody the loudest of the others. So a room has one bank for each such
//! choice that its listeners make, and each bank chooses for itself from the speakers it wants.
//!
//! Nobody hears themselves: whoever holds a slot hears the *understudy* in it, the loudest of those
//! without a slot. That is exactly "the loudest others" for every participant, at the cost of one
//! more stream for each slot, instead of a choice for each participant.

use std::time::Instant;

use rand::Rng;

use super::{
    SpeakerPacket,
    ranking::{Candidate, Choice, Holder, choose},
};
use crate::{
    compose::{Destination, Source},
    ids::SlotIndex,
    keys::ParticipantKey,
    limits::{MAX_AUDIO_SLOTS, MAX_SPEECH_PREROLL},
    rtp::{RtpTime, SeqExt},
    splice::{Place, Splice},
    subscription::Subscription,
};

/// One slot of a bank.
#[derive(Debug)]
struct Slot {
    holder: Option<(ParticipantKey, Instant)>,
    /// How often it has changed hands.
    tenure: u64,
    /// Who had heard the holder as understudy when they got the slot. Nothing: too many to say.
    knew: Option<Holders>,
    /// What everybody hears except the holder.
    main: Splice<Source>,
    /// What the holder hears.
    understudy: Splice<Source>,
}

/// The slots for listeners with a certain number of lines and a certain choice.
#[derive(Debug)]
pub(crate) struct Bank {
    subscription: Subscription,
    /// As many as its listeners have lines.
    slots: Vec<Slot>,
    /// How many of them may be held: fewer where the room has fewer slots than that.
    open: usize,
    understudy: Option<ParticipantKey>,
    /// Who has held a slot lately since there is this understudy, and has heard them so; and until
    /// when.
    heard_understudy: Vec<(ParticipantKey, Instant)>,
}

/// A speaker's packet on its way into a bank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) at: Instant,
    pub(crate) source: Source,
    pub(crate) packet: &'a SpeakerPacket,
}

impl<'a> Arrival<'a> {
    pub(crate) fn new(at: Instant, speaker: ParticipantKey, packet: &'a SpeakerPacket) -> Self {
        let source = Source {
            participant: speaker,
            ssrc: packet.ssrc,
        };
        Self { at, source, packet }
    }
}

/// A packet with its place in one stream of a bank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) slot: SlotIndex,
    pub(crate) tenure: u64,
    pub(crate) is_main: bool,
    pub(crate) destination: Destination,
    pub(crate) place: Place,
    /// How many ticks it may put a listener's stream ahead, if it is of the pre-roll.
    pub(crate) preroll: Option<u32>,
}

/// Who holds the slots, in no order.
type Holders = [Option<ParticipantKey>; MAX_AUDIO_SLOTS];

/// These as an array, if they are not more than it holds.
fn listed(heard: &[(ParticipantKey, Instant)]) -> Option<Holders> {
    let mut listed = [None; MAX_AUDIO_SLOTS];
    for (index, (key, _)) in heard.iter().enumerate() {
        *listed.get_mut(index)? = Some(*key);
    }
    Some(listed)
}

impl Slot {
    fn hand_over(&mut self, holder: Option<(ParticipantKey, Instant)>, knew: Option<Holders>) {
        self.holder = holder;
        self.knew = knew;
        self.tenure += 1;
        // Whoever gets the slot back has talked unheard in between.
        self.main.interrupt();
    }
}

impl Bank {
    /// A bank of `lines` slots, 1 to [`MAX_AUDIO_SLOTS`], in a room that has `room_slots`.
    pub(crate) fn new(
        subscription: Subscription,
        lines: usize,
        room_slots: usize,
        rng: &mut impl Rng,
    ) -> Self {
        let mut stream = || Splice::new(SeqExt(0), RtpTime(rng.random()));
        let slot = |_| Slot {
            holder: None,
            tenure: 0,
            knew: None,
            main: stream(),
            understudy: stream(),
        };
        Self {
            subscription,
            slots: (0..lines.min(MAX_AUDIO_SLOTS)).map(slot).collect(),
            open: lines.min(room_slots),
            understudy: None,
            heard_understudy: Vec::new(),
        }
    }

    /// Notes that the room has so many slots now. The next ranking frees those beyond.
    pub(crate) fn resize(&mut self, room_slots: usize) {
        self.open = self.slots.len().min(room_slots);
    }

    /// Whom its listeners want to hear.
    pub(crate) fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// How many lines its listeners have.
    pub(crate) fn lines(&self) -> usize {
        self.slots.len()
    }

    /// Who holds a slot.
    pub(crate) fn holders(&self) -> impl Iterator<Item = ParticipantKey> {
        self.slots
            .iter()
            .filter_map(|slot| slot.holder.map(|(key, _)| key))
    }

    /// Who holds each slot, and since when.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Option<(ParticipantKey, Instant)>> {
        self.slots.iter().take(self.open).map(|slot| slot.holder)
    }

    /// Whom those hear who hold a slot.
    pub(crate) fn understudy(&self) -> Option<ParticipantKey> {
        self.understudy
    }

    /// Whom anybody hears: the holders, and whom they hear themselves.
    pub(crate) fn heard(&self) -> impl Iterator<Item = ParticipantKey> {
        self.holders().chain(self.understudy)
    }

    /// Gives the slots to those who shall have them, of candidates whom its listeners want to hear.
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
        self.note_who_heard_understudy(now);
        for (slot, key) in self.slots.iter_mut().zip(slots) {
            if slot.holder.map(|(key, _)| key) != key {
                let was_understudy = key.is_some() && key == self.understudy;
                let knew = match was_understudy {
                    true => listed(&self.heard_understudy),
                    false => Some([None; MAX_AUDIO_SLOTS]),
                };
                slot.hand_over(key.map(|key| (key, now)), knew);
            }
        }
        if self.understudy != understudy {
            self.understudy = understudy;
            self.heard_understudy.clear();
            for slot in &mut self.slots {
                slot.understudy.interrupt();
            }
        }
    }

    /// Those who hold the slots now have heard the understudy in them. What they have heard is of no
    /// interest when it is too old for a pre-roll.
    fn note_who_heard_understudy(&mut self, now: Instant) {
        let holders = self.slots.iter().filter_map(|slot| slot.holder);
        let heard = &mut self.heard_understudy;
        heard.retain(|&(_, at)| now.saturating_duration_since(at) <= MAX_SPEECH_PREROLL);
        for (holder, _) in holders {
            heard.retain(|&(key, _)| key != holder);
            heard.push((holder, now));
        }
    }

    /// Leaves out a packet of a speaker, and names those for whom it would have been. Their streams close over
    /// it: what comes next begins anew, and nothing looks lost.
    pub(crate) fn withhold(&mut self, speaker: ParticipantKey, mut emit: impl FnMut(Destination)) {
        let is_understudy = self.understudy == Some(speaker);
        for slot in &mut self.slots {
            let Some((holder, _)) = slot.holder else {
                continue;
            };
            if holder == speaker {
                slot.main.interrupt();
                emit(Destination::AllBut(holder));
            } else if is_understudy {
                slot.understudy.interrupt();
                emit(Destination::Only(holder));
            }
        }
    }

    /// Where a packet goes: into the slot that its speaker holds, for everybody else, or, if they are
    /// the understudy, into every slot that is held, for its holder. A stream that begins with this
    /// packet begins with what came before it (`preroll`, oldest first), as far as that puts it ahead
    /// of the wall clock by no more than `budget` ticks.
    pub(crate) fn place<'a>(
        &mut self,
        arrival: Arrival<'a>,
        preroll: impl Iterator<Item = Arrival<'a>> + Clone,
        budget: u32,
        mut emit: impl FnMut(Arrival<'a>, Placed),
    ) {
        let source = arrival.source;
        let is_understudy = self.understudy == Some(source.participant);
        for (index, slot) in (0..).zip(&mut self.slots) {
            let Some((holder, _)) = slot.holder else {
                continue;
            };
            let is_main = holder == source.participant;
            if !is_main && !is_understudy {
                continue;
            }
            let (splice, destination, early_destination) = match is_main {
                true => {
                    let speaker = holder;
                    let early = slot.knew.map(|knew| Destination::NewTo { speaker, knew });
                    (&mut slot.main, Destination::AllBut(holder), early)
                }
                false => {
                    let only = Destination::Only(holder);
                    (&mut slot.understudy, only, Some(only))
                }
            };
            let mut emit = |arrival: Arrival<'a>, place, destination, preroll| {
                let placed = Placed {
                    slot: SlotIndex(index),
                    tenure: slot.tenure,
                    is_main,
                    destination,
                    place,
                    preroll,
                };
                emit(arrival, placed);
            };
            let preroll = preroll.clone().filter(|early| early.source == source);
            if !splice.carries(source)
                && let Some(early_destination) = early_destination
            {
                for early in preroll {
                    if splice.takes_early(early.at, source, budget)
                        && let Some(place) = splice.place(early.at, source, early.packet.place)
                    {
                        emit(early, place, early_destination, Some(budget));
                    }
                }
            }
            if let Some(place) = splice.place(arrival.at, source, arrival.packet.place) {
                emit(arrival, place, destination, None);
            }
        }
    }
}
