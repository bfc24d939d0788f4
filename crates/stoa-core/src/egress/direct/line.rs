//! One line of one listener: a slot in the listener's own sequence.

use std::time::Instant;

use slotmap::SecondaryMap;

use super::{
    used::UsedIndices,
    wire::{Template, WireProfile},
};
use crate::{
    compose::{Composed, StreamId, Written},
    egress::NegotiatedLine,
    keys::SessionKey,
    limits::MAX_AUDIO_SLOTS,
    rtp::{RtpTime, SeqExt},
    splice::{Place, Splice},
};

/// The lines of all listeners: those of one slot side by side.
#[derive(Debug, Default)]
pub(super) struct Lines([SecondaryMap<SessionKey, Line>; MAX_AUDIO_SLOTS]);

impl Lines {
    /// Adds somebody's lines, by slot.
    pub(super) fn add(&mut self, key: SessionKey, lines: &[NegotiatedLine]) {
        for (slot, line) in self.0.iter_mut().zip(lines) {
            slot.insert(key, Line::new(line));
        }
    }

    /// Forgets somebody's lines.
    pub(super) fn remove(&mut self, key: SessionKey) {
        for slot in &mut self.0 {
            slot.remove(key);
        }
    }

    /// Somebody's lines, by slot.
    pub(super) fn of(&self, key: SessionKey) -> impl Iterator<Item = &Line> + Clone {
        self.0.iter().map_while(move |slot| slot.get(key))
    }

    /// The same, to be changed.
    pub(super) fn of_mut(&mut self, key: SessionKey) -> impl Iterator<Item = &mut Line> {
        self.0.iter_mut().map_while(move |slot| slot.get_mut(key))
    }

    /// The line on which somebody hears this slot.
    pub(super) fn get_mut(&mut self, key: SessionKey, slot: usize) -> Option<&mut Line> {
        self.0.get_mut(slot)?.get_mut(key)
    }
}

/// The line and what has been sent on it.
#[derive(Debug)]
pub(super) struct Line {
    /// What the listener hears on this line changes between streams of the room.
    splice: Splice<StreamId>,
    used: UsedIndices,
    ssrc: u32,
    profile: WireProfile,
    /// The number before the first.
    start: u16,
    packets: u64,
    /// Bytes of payloads. Wraps, as it does in a sender report (RFC 3550, section 6.4.1).
    octets: u32,
}

impl Line {
    fn new(line: &NegotiatedLine) -> Self {
        Self {
            splice: Splice::new(SeqExt(line.seq.into()), RtpTime(line.time)),
            used: UsedIndices::default(),
            ssrc: line.ssrc,
            profile: WireProfile::of(line),
            start: line.seq,
            packets: 0,
            octets: 0,
        }
    }

    /// Notes that the listener hears by another choice from now on: what they hear next goes on from no
    /// packet of before.
    pub(super) fn interrupt(&mut self) {
        self.splice.interrupt();
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(super) fn profile(&self) -> WireProfile {
        self.profile
    }

    /// How many were sent.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    pub(super) fn octets(&self) -> u32 {
        self.octets
    }

    /// How many numbers of the sequence were left out, because the speaker's packets were lost before
    /// they came to us.
    pub(super) fn skipped(&self) -> u64 {
        let next = SeqExt(self.start.into()).next().0;
        self.used.next().saturating_sub(next + self.packets)
    }

    /// The time of the latest packet, and when that came. Nothing if none did.
    pub(super) fn latest(&self) -> Option<(RtpTime, Instant)> {
        self.splice.latest()
    }

    /// Gives a packet its place in the listener's stream. Nothing that was given one is left out after.
    pub(super) fn place(&mut self, composed: &Composed) -> Result<Place, Written> {
        let (arrived, stream) = (composed.arrived, composed.stream);
        let fits = |budget| self.splice.takes_early(arrived, stream, budget);
        if !composed.preroll.is_none_or(fits) {
            return Err(Written::LeftOut);
        }
        let place = self.splice.place(arrived, stream, composed.place);
        place
            .filter(|place| self.used.take(place.seq.0))
            .ok_or(Written::Late)
    }

    /// Counts a packet and writes its header to `out`, which gets the length of the sealed packet; what it
    /// holds behind the header is still to be written.
    pub(super) fn write_header(
        &mut self,
        place: Place,
        template: &Template,
        tag: usize,
        out: &mut Vec<u8>,
    ) {
        let header = template.header.as_slice();
        out.resize(header.len() + template.payload.len() + tag, 0);
        out[..header.len()].copy_from_slice(header);
        if place.marker {
            out[1] |= 0x80;
        }
        // The low 16 bits on purpose; the receiver counts the rest.
        out[2..4].copy_from_slice(&(place.seq.0 as u16).to_be_bytes());
        out[4..8].copy_from_slice(&place.time.0.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        self.packets += 1;
        // A payload is shorter than a datagram.
        self.octets = self.octets.wrapping_add(template.payload.len() as u32);
    }
}
