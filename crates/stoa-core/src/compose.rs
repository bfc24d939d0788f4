//! A packet on its way out: composed once, for everybody who hears it.
//!
//! It holds the fields of the packet; the direct path writes their bytes once for each wire profile
//! (`egress/direct/wire.rs`), the reference path for each listener. This is also what goes to the other
//! workers whose seats hear the room, once for each of them.

use std::time::Instant;

use crate::{
    audio_level::LevelExtension,
    ids::{Csrc, SlotIndex},
    keys::{BankKey, ParticipantKey},
    limits::MAX_AUDIO_SLOTS,
    red::Payload,
    splice::Place,
};

/// Where packets come from: one RTP stream of one speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) participant: ParticipantKey,
    /// A speaker's stream may get another SSRC; its sequence begins anew then.
    pub(crate) ssrc: u32,
}

/// One stream that a room offers to the listeners of one bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamId {
    pub(crate) bank: BankKey,
    pub(crate) slot: SlotIndex,
    /// How often the slot has changed hands. Each time, somebody changes from hearing the slot itself
    /// to hearing what its holder hears, and misses what the others hear meanwhile.
    pub(crate) tenure: u64,
    /// The slot itself, or what its holder hears in it.
    pub(crate) is_main: bool,
}

/// Which of the listeners of a bank a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Everybody but the speaker.
    AllBut(ParticipantKey),
    /// Everybody but the speaker and those who have heard the packet before, when they held the slots
    /// and the speaker was their understudy.
    NewTo {
        speaker: ParticipantKey,
        knew: [Option<ParticipantKey>; MAX_AUDIO_SLOTS],
    },
    /// One listener: the holder of the slot, who hears the understudy.
    Only(ParticipantKey),
}

/// One packet of one stream, ready to be written for each of its listeners.
#[derive(Debug, Clone)]
pub(crate) struct Composed {
    pub(crate) stream: StreamId,
    pub(crate) destination: Destination,
    pub(crate) place: Place,
    /// When it came from the speaker: a packet of the pre-roll is older than now.
    pub(crate) arrived: Instant,
    /// It came before the speaker had a slot. How many ticks it may put a stream ahead of the wall
    /// clock, or it is left out.
    pub(crate) preroll: Option<u32>,
    /// Who speaks.
    pub(crate) csrc: Csrc,
    /// What the speaker's client said of the packet's level, where it did.
    pub(crate) level: Option<LevelExtension>,
    /// What it carries, shared by all copies.
    pub(crate) payload: Payload,
}

/// What has become of a packet for one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is on its way.
    Sent,
    /// It is of the pre-roll, and this listener's stream is ahead as it is.
    LeftOut,
    /// It has no place in this listener's stream any more.
    Late,
}
