//! A packet's bytes before they are sealed: the same for all who negotiated the same.

use crate::{
    audio_level::LevelExtension,
    compose::Composed,
    egress::{NegotiatedLine, choose},
    participant::negotiate::Formats,
};

/// How many different forms of one packet are kept at the same time. A room of browsers needs one to
/// three; a further one is written anew each time it is needed.
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

/// A packet but for sequence number, timestamp, SSRC, marker and tag.
#[derive(Debug)]
pub(super) struct Template {
    profile: WireProfile,
    pub(super) bytes: Vec<u8>,
    /// How many of the bytes are the header.
    pub(super) header: usize,
}

/// The forms of one packet that were needed so far.
#[derive(Debug, Default)]
pub(super) struct Templates {
    /// Of which the first `used` are of the present packet; the others are kept for their
    /// allocations.
    templates: Vec<Template>,
    used: usize,
    /// Which one is overwritten when all are in use.
    next: usize,
}

impl Templates {
    /// Forgets the present packet.
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// The form of the present packet that has this profile.
    pub(super) fn of(&mut self, profile: WireProfile, composed: &Composed) -> &Template {
        let mut used = self.templates[..self.used].iter();
        let index = match used.position(|template| template.profile == profile) {
            Some(index) => index,
            None => self.write(profile, composed),
        };
        &self.templates[index]
    }

    fn write(&mut self, profile: WireProfile, composed: &Composed) -> usize {
        let index = if self.used < MAX_TEMPLATES {
            self.used += 1;
            self.used - 1
        } else {
            self.next = (self.next + 1) % MAX_TEMPLATES;
            self.next
        };
        if index == self.templates.len() {
            self.templates.push(Template {
                profile,
                bytes: Vec::new(),
                header: 0,
            });
        }
        let template = &mut self.templates[index];
        template.profile = profile;
        template.bytes.clear();
        let (payload_type, payload) = choose(profile.formats, &composed.payload);
        write_header(*payload_type, profile, composed, &mut template.bytes);
        template.header = template.bytes.len();
        template.bytes.extend_from_slice(payload);
        index
    }
}

/// The header of RFC 3550, section 5.1, with the speaker as CSRC. What each listener has of their
/// own is zero.
///
/// There is no MID (RFC 8843): the answer announces the line's SSRC, which tells as much.
fn write_header(payload_type: u8, profile: WireProfile, composed: &Composed, out: &mut Vec<u8>) {
    const VERSION: u8 = 2 << 6;
    const EXTENSION: u8 = 1 << 4;
    const ONE_CSRC: u8 = 1;
    let level = profile.level_id.zip(composed.level);
    let extension = level.map_or(0, |_| EXTENSION);
    out.extend_from_slice(&[VERSION | extension | ONE_CSRC, payload_type]);
    out.extend_from_slice(&[0; 10]);
    out.extend_from_slice(&composed.csrc.0.to_be_bytes());
    if let Some((id, level)) = level {
        write_level(id, level, out);
    }
}

/// One header extension of RFC 8285 with one byte, padded to a word.
fn write_level(id: u8, LevelExtension { level, voice }: LevelExtension, out: &mut Vec<u8>) {
    let value = level.minus_dbov() | if voice { 0x80 } else { 0 };
    // The one-byte form has four bits for the identifier, of which 15 is reserved.
    if id < 15 {
        out.extend_from_slice(&[0xBE, 0xDE, 0, 1, id << 4, value, 0, 0]);
    } else {
        out.extend_from_slice(&[0x10, 0x00, 0, 1, id, 1, value, 0]);
    }
}
