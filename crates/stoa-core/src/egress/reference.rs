//! The reference path: the listener's own session writes, encrypts and sends the packet.

use std::{sync::Arc, time::Instant};

use str0m::{
    Rtc,
    media::{Mid, Pt},
    rtp::{ExtensionValues, RtpWrite},
};

use crate::{
    audio_level::LevelExtension,
    compose::{Composed, StreamId},
    rtp::{RtpTime, SeqExt},
    splice::Splice,
};

/// One audio line on which a participant hears a slot.
#[derive(Debug)]
pub(crate) struct Line {
    mid: Mid,
    /// The payload type of Opus that the listener chose.
    payload_type: Pt,
    /// What the listener hears on this line changes between streams of the room.
    splice: Splice<StreamId>,
}

impl Line {
    /// A line whose first packet will have the number after `seq`. A receiver takes the roll-over
    /// counter of the first packet for 0 (RFC 3711, section 3.3.1), so `seq` has to be below 65,535.
    pub(crate) fn new(mid: Mid, payload_type: Pt, seq: u16, time: u32) -> Self {
        Self {
            mid,
            payload_type,
            splice: Splice::new(SeqExt(seq.into()), RtpTime(time)),
        }
    }
}

/// Hands the packet to the listener's session. Returns whether it has a place in the line's sequence.
///
/// The session sends it at its next turn: the caller has to give it one.
pub(crate) fn write(rtc: &mut Rtc, line: &mut Line, now: Instant, composed: &Composed) -> bool {
    let Some(place) = line.splice.place(now, composed.stream, composed.place) else {
        return false;
    };
    let mut api = rtc.direct_api();
    let Some(stream) = api.stream_tx_by_mid(line.mid, None) else {
        return false;
    };
    let mut extensions = ExtensionValues::default();
    if let Some(LevelExtension { level, voice }) = composed.level {
        // At most 127, so it fits; str0m holds levels as negative numbers.
        extensions.audio_level = i8::try_from(level.minus_dbov()).ok().map(|level| -level);
        extensions.voice_activity = Some(voice);
    }
    let payload = Arc::clone(&composed.payload);
    let write = RtpWrite::new(
        line.payload_type,
        place.seq.0.into(),
        place.time.0,
        now,
        payload,
    )
    .marker(place.marker)
    .ext_vals(extensions)
    .csrc(&[composed.csrc.0]);
    stream.write_rtp(write);
    true
}
