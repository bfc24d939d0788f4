//! One line of one listener: a slot in the listener's own sequence.

use std::time::Instant;

use super::{
    used::UsedIndices,
    wire::{Template, WireProfile},
};
use crate::{
    compose::{Composed, StreamId, Written},
    egress::NegotiatedLine,
    rtp::{RtpTime, SeqExt},
    seal::{RtpSealer, SealError},
    splice::Splice,
};

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
    pub(super) fn new(line: &NegotiatedLine) -> Self {
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

    /// Writes the packet as this listener gets it to `out`, which is empty.
    ///
    /// # Errors
    /// [`SealError`]; the packet must not be sent.
    pub(super) fn seal(
        &mut self,
        composed: &Composed,
        template: &Template,
        sealer: &RtpSealer,
        out: &mut Vec<u8>,
    ) -> Result<Written, SealError> {
        let (arrived, stream) = (composed.arrived, composed.stream);
        let fits = |budget| self.splice.takes_early(arrived, stream, budget);
        if !composed.preroll.is_none_or(fits) {
            return Ok(Written::LeftOut);
        }
        let place = self.splice.place(arrived, stream, composed.place);
        let Some(place) = place.filter(|place| self.used.take(place.seq.0)) else {
            return Ok(Written::Late);
        };
        out.extend_from_slice(&template.bytes);
        out.resize(template.bytes.len() + sealer.overhead(), 0);
        if place.marker {
            out[1] |= 0x80;
        }
        // The low 16 bits on purpose; the receiver counts the rest.
        out[2..4].copy_from_slice(&(place.seq.0 as u16).to_be_bytes());
        out[4..8].copy_from_slice(&place.time.0.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        sealer.seal(out, template.header, place.seq.0)?;
        self.packets += 1;
        // A payload is shorter than a datagram.
        let octets = template.bytes.len() - template.header;
        self.octets = self.octets.wrapping_add(octets as u32);
        Ok(Written::Sent)
    }
}
