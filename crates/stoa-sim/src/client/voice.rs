//! How a client speaks: packets that say who sent them and the how-manieth each is, so that whoever
//! hears one knows what it is.

use std::time::Instant;

use str0m::{
    media::Pt,
    rtp::{ExtensionValues, RtpWrite, Ssrc},
};

use super::Client;
use crate::FRAME;

/// The RTP time of a 20 ms frame.
const FRAME_TICKS: u32 = 960;

/// PCMU (RFC 3551, section 6): offered, and not what is agreed on.
const PCMU: Pt = Pt::new_with_value(0);

/// The payload types of a client's voice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Formats {
    pub(crate) opus: Pt,
    /// Opus with the packet before (RFC 2198).
    pub(crate) red: Option<Pt>,
}

/// A RED payload (RFC 2198, section 3) of a packet and the one before it.
fn redundant(opus: u8, before: Option<&[u8]>, now: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(before) = before {
        let length = u32::try_from(before.len()).expect("a short packet");
        bytes.push(0x80 | opus);
        bytes.extend(&(FRAME_TICKS << 10 | length).to_be_bytes()[1..]);
    }
    bytes.push(opus);
    bytes.extend(before.unwrap_or_default());
    bytes.extend(now);
    bytes
}

/// How many packets [`Client::number_of`] looks back.
const RECENT: usize = 64;

/// How a client breaks what was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// It speaks under an SSRC that it never announced.
    Ssrc(u32),
    /// It speaks with a codec that was not agreed on: PCMU, payload type 0 (RFC 3551).
    PayloadType,
    /// It sends this as redundancy (RFC 2198).
    Redundancy(&'static [u8]),
    /// It speaks on a line on which it said that it only listens, counted from 0.
    Line(usize),
}

impl Client {
    /// Writes one packet of its own voice, with its level in -dBov. After a pause its clock has
    /// moved on.
    ///
    /// # Panics
    /// If the level is above 127, or nothing was negotiated.
    pub fn write(&mut self, now: Instant, level: u8) {
        self.write_as(now, level, None);
    }

    /// The same, with a lie.
    pub(crate) fn write_as(&mut self, now: Instant, level: u8, lie: Option<Lie>) {
        self.time = self
            .time
            .wrapping_add(self.frames_missed(now) * FRAME_TICKS);
        let mut payload = vec![0x55; 80];
        payload[..2].copy_from_slice(&(self.index as u16).to_le_bytes());
        payload[2..5].copy_from_slice(&self.spoken.to_be_bytes()[1..]);
        let formats = self.formats();
        let before = self.last_payload.replace(payload.clone());
        let mut payload_type = formats.opus;
        if let Some(red) = formats.red.filter(|_| self.speaks_redundantly) {
            payload = redundant(*formats.opus, before.as_deref(), &payload);
            payload_type = red;
        }
        let extensions = ExtensionValues {
            audio_level: Some(-i8::try_from(level).expect("a level of 0 to 127")),
            voice_activity: Some(level < 50),
            ..Default::default()
        };
        let mut mid = self.lines[0];
        let mut ssrc = self.announced_ssrc();
        let mut api = self.rtc.direct_api();
        match lie {
            None => {}
            Some(Lie::PayloadType) => payload_type = PCMU,
            Some(Lie::Redundancy(bytes)) => {
                payload = bytes.to_vec();
                payload_type = formats.red.unwrap_or(payload_type);
            }
            Some(Lie::Ssrc(other)) => ssrc = other.into(),
            Some(Lie::Line(line)) => {
                mid = self.lines[line];
                let stream = api.stream_tx_by_mid(mid, None);
                ssrc = stream.map_or_else(Ssrc::new, |stream| stream.ssrc());
            }
        }
        // Does nothing where the stream is of this SSRC already.
        api.reset_stream_tx(mid, None, ssrc, None);
        if api.stream_tx_by_mid(mid, None).is_none() {
            api.declare_stream_tx(ssrc, None, mid, None);
        }
        let stream = api
            .stream_tx_by_mid(mid, None)
            .expect("a stream of this line");
        let write = RtpWrite::new(payload_type, self.seq.into(), self.time, now, payload)
            .ext_vals(extensions);
        stream.write_rtp(write);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((self.seq as u16, self.spoken));
        self.seq += 1;
        self.time = self.time.wrapping_add(FRAME_TICKS);
        self.spoken += 1;
        self.handle_timeout(now);
    }

    /// The payload types that were agreed on.
    pub(crate) fn formats(&self) -> Formats {
        let media = self.rtc.media(self.lines[0]);
        let opus = media.expect("a line of its own").remote_pts()[0];
        let mut params = self.rtc.codec_config().params().iter();
        let params = params.find(|params| params.pt() == opus);
        Formats {
            opus,
            red: params.and_then(|params| params.red()),
        }
    }

    /// How many frames it could have spoken since the last one and has not. Its clock ticks in frames
    /// and follows the wall clock, however often it pauses.
    fn frames_missed(&mut self, now: Instant) -> u32 {
        let Some(last) = self.last_spoken.replace(now) else {
            return 0;
        };
        let passed = now.saturating_duration_since(last) + FRAME / 2;
        let frames = u32::try_from(passed.as_micros() / FRAME.as_micros());
        let frames = frames.expect("a pause of a test").max(1);
        self.last_spoken = Some(last + FRAME * frames);
        frames - 1
    }

    /// The SSRC of its voice, as its offer says.
    fn announced_ssrc(&mut self) -> Ssrc {
        let mid = self.lines[0];
        let mut api = self.rtc.direct_api();
        *self.microphone.get_or_insert_with(|| {
            let stream = api.stream_tx_by_mid(mid, None);
            stream.expect("the first line is for speaking").ssrc()
        })
    }

    /// Which of its packets this is, by its number on the wire, if it is one of the last few.
    pub(crate) fn number_of(&self, sequence_number: u16) -> Option<u32> {
        let mut recent = self.recent.iter().rev();
        let found = recent.find(|(on_wire, _)| *on_wire == sequence_number);
        found.map(|&(_, number)| number)
    }

    /// What [`Heard::number`](super::Heard::number) will be of its next packet.
    pub fn next_number(&self) -> u32 {
        self.spoken
    }
}
