//! The reference path: the listener's own session writes, encrypts and sends the packet.

use std::sync::Arc;

use str0m::{
    Rtc,
    media::Mid,
    rtp::{ExtensionValues, RtpWrite},
};

use super::{Formats, NegotiatedLine, choose};
use crate::{
    audio_level::LevelExtension,
    compose::{Composed, StreamId, Written},
    rtp::{RtpTime, SeqExt},
    splice::Splice,
};

/// One audio line on which a participant hears a slot.
#[derive(Debug)]
pub(crate) struct Line {
    mid: Mid,
    /// The payload types that the listener chose.
    formats: Formats,
    /// What the listener hears on this line changes between streams of the room.
    splice: Splice<StreamId>,
    /// The highest number that was sent, once there is one.
    highest: Option<SeqExt>,
    /// How many numbers below that were left out, because the speaker's packets were lost before they
    /// came to us.
    skipped: u64,
}

impl Line {
    pub(crate) fn new(line: &NegotiatedLine) -> Self {
        Self {
            mid: line.mid,
            formats: line.formats,
            splice: Splice::new(SeqExt(line.seq.into()), RtpTime(line.time)),
            highest: None,
            skipped: 0,
        }
    }

    pub(crate) fn mid(&self) -> Mid {
        self.mid
    }

    /// Notes that the listener hears by another choice from now on: what they hear next goes on from no
    /// packet of before.
    pub(crate) fn interrupt(&mut self) {
        self.splice.interrupt();
    }

    /// How many numbers of the line's sequence have been left out.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    fn count(&mut self, seq: SeqExt) {
        match self.highest {
            Some(highest) if seq > highest => {
                self.skipped += seq.0 - highest.0 - 1;
                self.highest = Some(seq);
            }
            // It was late, and had been counted as left out.
            Some(_) => self.skipped = self.skipped.saturating_sub(1),
            None => self.highest = Some(seq),
        }
    }
}

/// Hands the packet to the listener's session.
///
/// The session sends it at its next turn: the caller has to give it one.
pub(crate) fn write(rtc: &mut Rtc, line: &mut Line, composed: &Composed) -> Written {
    let (arrived, stream) = (composed.arrived, composed.stream);
    let fits = |budget| line.splice.takes_early(arrived, stream, budget);
    if !composed.preroll.is_none_or(fits) {
        return Written::LeftOut;
    }
    let Some(place) = line.splice.place(arrived, stream, composed.place) else {
        return Written::Late;
    };
    let mut api = rtc.direct_api();
    let Some(stream) = api.stream_tx_by_mid(line.mid, None) else {
        return Written::Late;
    };
    let mut extensions = ExtensionValues::default();
    if let Some(LevelExtension { level, voice }) = composed.level {
        // At most 127, so it fits; str0m holds levels as negative numbers.
        extensions.audio_level = i8::try_from(level.minus_dbov()).ok().map(|level| -level);
        extensions.voice_activity = Some(voice);
    }
    line.count(place.seq);
    let (payload_type, payload) = choose(line.formats, &composed.payload);
    let write = RtpWrite::new(
        payload_type,
        place.seq.0.into(),
        place.time.0,
        arrived,
        Arc::clone(payload),
    )
    .marker(place.marker)
    .ext_vals(extensions)
    .csrc(&[composed.csrc.0]);
    stream.write_rtp(write);
    Written::Sent
}
