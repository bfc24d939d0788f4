//! The last step of a packet: from [`Composed`](crate::compose::Composed) to one listener.
//!
//! This is the seam between what a room decides once and what each listener costs. Above it nothing
//! knows of a listener's sequence, payload type or keys. Below it are two paths, of which a node
//! uses one.

pub(crate) mod direct;
pub(crate) mod reference;

use std::sync::Arc;

use str0m::media::{Mid, Pt};

use crate::red::Payload;

/// How packets for listeners are written and encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EgressPath {
    /// A packet is written once for all who get the same bytes, and sealed for each.
    #[default]
    Direct,
    /// Each listener's media session writes, encrypts and sends it. An order of magnitude more
    /// expensive; it is there to compare with.
    Reference,
}

impl EgressPath {
    /// How many bytes a node reads and writes of a listener for a packet on each of so many of their
    /// lines; more of them than a processor's cache holds cost more than encryption does. Not known of
    /// a media session.
    pub const fn hot_bytes(self, lines: usize) -> Option<usize> {
        match self {
            Self::Direct => Some(direct::hot_bytes(lines)),
            Self::Reference => None,
        }
    }
}

/// The payload types that a client has for its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Formats {
    pub(crate) opus: Pt,
    /// Opus with redundancy (RFC 2198), where the client speaks it.
    pub(crate) red: Option<Pt>,
}

/// A line on which a participant hears a slot, as it was negotiated.
#[derive(Debug, Clone)]
pub(crate) struct NegotiatedLine {
    pub(crate) mid: Mid,
    pub(crate) formats: Formats,
    /// The identifier of the audio level (RFC 6464), where it was negotiated.
    pub(crate) level_id: Option<u8>,
    /// What the answer announces for it.
    pub(crate) ssrc: u32,
    pub(crate) cname: String,
    /// The first packet will have the number after it. A receiver takes the roll-over counter of the
    /// first packet for 0 (RFC 3711, section 3.3.1), so it has to be below 65,535.
    pub(crate) seq: u16,
    /// The first packet's timestamp.
    pub(crate) time: u32,
}

/// What a listener with these formats gets of a payload, and under which payload type. Redundancy passes
/// where the blocks' payload type means the same to the listener as to the speaker.
fn choose(formats: Formats, payload: &Payload) -> (Pt, &Arc<[u8]>) {
    match (&payload.red, formats.red) {
        (Some(red), Some(red_type)) if red.opus_type == *formats.opus => (red_type, &red.bytes),
        _ => (formats.opus, &payload.opus),
    }
}
