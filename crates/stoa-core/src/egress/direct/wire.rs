//! A packet's bytes before they are sealed: the same for all who negotiated the same.

use std::sync::Arc;

use crate::{
    audio_level::LevelExtension,
    compose::Composed,
    egress::{Formats, NegotiatedLine, choose},
};

/// How many different forms of one packet are kept at the same time. A room of browsers needs one to
/// three; where there are more, they are written again and again.
const MAX_TEMPLATES: usize = 4;

/// What the header of a packet is to one listener's line, but for what each listener has of their
/// own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WireProfile {
    formats: Formats,
    /// The identifier of the audio level (RFC 6464), where it was negotiated.
    level_id: Option<u8>,
}

impl WireProfile {
    pub(super) fn of(line: &NegotiatedLine) -> Self {
        Self {
            formats: line.formats,
            level_id: line.level_id,
        }
    }
}

/// The fixed part, one CSRC, one extension.
const LONGEST_HEADER: usize = 12 + 4 + 8;

/// A packet's header, of which sequence number, timestamp, SSRC and marker are missing.
#[derive(Debug)]
pub(super) struct Header {
    bytes: [u8; LONGEST_HEADER],
    length: usize,
}

/// A packet but for what is missing in its header, and the tag.
#[derive(Debug)]
pub(super) struct Template {
    profile: WireProfile,
    pub(super) header: Header,
    pub(super) payload: Arc<[u8]>,
}

/// The forms of one packet that were needed so far.
#[derive(Debug, Default)]
pub(super) struct Templates(Vec<Template>);

impl Templates {
    /// Forgets the present packet.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Which of the forms of the present packet has this profile, if there is one.
    pub(super) fn find(&self, profile: WireProfile) -> Option<usize> {
        self.0
            .iter()
            .position(|template| template.profile == profile)
    }

    /// Whether one has to be forgotten before another can be written.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_TEMPLATES
    }

    /// Writes the present packet in another form. Returns which one it is.
    pub(super) fn write(&mut self, profile: WireProfile, composed: &Composed) -> usize {
        let (payload_type, payload) = choose(profile.formats, &composed.payload);
        self.0.push(Template {
            profile,
            header: Header::new(*payload_type, profile.level_id, composed),
            payload: Arc::clone(payload),
        });
        self.0.len() - 1
    }

    /// One of the forms.
    pub(super) fn get(&self, index: usize) -> &Template {
        &self.0[index]
    }
}

impl Header {
    /// The header of RFC 3550, section 5.1, with the speaker as CSRC. What each listener has of their
    /// own is zero.
    ///
    /// There is no MID (RFC 8843): the answer announces the line's SSRC, which tells as much.
    fn new(payload_type: u8, level_id: Option<u8>, composed: &Composed) -> Self {
        const VERSION: u8 = 2 << 6;
        const EXTENSION: u8 = 1 << 4;
        const ONE_CSRC: u8 = 1;
        let mut bytes = [0; LONGEST_HEADER];
        bytes[0] = VERSION | ONE_CSRC;
        bytes[1] = payload_type;
        bytes[12..16].copy_from_slice(&composed.csrc.0.to_be_bytes());
        let Some((id, level)) = level_id.zip(composed.level) else {
            return Self { bytes, length: 16 };
        };
        bytes[0] |= EXTENSION;
        bytes[16..].copy_from_slice(&level_extension(id, level));
        let length = LONGEST_HEADER;
        Self { bytes, length }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// One header extension of RFC 8285 with one byte, padded to a word.
fn level_extension(id: u8, LevelExtension { level, voice }: LevelExtension) -> [u8; 8] {
    let value = level.minus_dbov() | if voice { 0x80 } else { 0 };
    // The one-byte form has four bits for the identifier, of which 15 is reserved.
    match id {
        ..15 => [0xBE, 0xDE, 0, 1, id << 4, value, 0, 0],
        15.. => [0x10, 0x00, 0, 1, id, 1, value, 0],
    }
}

#[cfg(test)]
mod tests;
