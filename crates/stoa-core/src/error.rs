//! Why the core refuses something. Nothing has changed when one of these is returned.

use crate::limits::{MAX_MODERATOR_MUTES, MAX_REMOTE_CANDIDATES, MAX_SUBSCRIPTIONS_PER_ROOM};

/// Why a command to the core was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such room.
    #[error("there is no such room")]
    RoomNotFound,
    /// There is a room of this name already.
    #[error("a room of this name exists already")]
    RoomExists,
    /// As many rooms exist as may.
    #[error("the limit of {limit} rooms is reached")]
    RoomLimit {
        /// How many rooms may exist.
        limit: usize,
    },
    /// Nobody of this name is in the room.
    #[error("no participant of this name is in the room")]
    ParticipantNotFound,
    /// Somebody of this name is in the room already.
    #[error("a participant of this name is in the room already")]
    ParticipantExists,
    /// As many participants exist as may.
    #[error("the limit of {limit} participants for {scope} is reached")]
    ParticipantLimit {
        /// What is full.
        scope: LimitScope,
        /// How many participants may be in it.
        limit: usize,
    },
    /// As many sessions are being set up as may be at a time; a moment later there is room.
    #[error("the limit of {limit} sessions that are being set up is reached")]
    LobbyFull {
        /// How many may be.
        limit: usize,
    },
    /// The room remembers as many moderator's mutes as it may.
    #[error("the room remembers {MAX_MODERATOR_MUTES} moderator's mutes, the most it may")]
    MuteLimit,
    /// The room's listeners make as many different choices of whom to hear as they may.
    #[error(
        "the listeners of the room make {MAX_SUBSCRIPTIONS_PER_ROOM} different choices of whom to \
         hear, the most they may"
    )]
    SubscriptionLimit,
    /// The call named a media session that is not the participant's present one.
    #[error("the participant has another media session by now")]
    SessionMismatch,
    /// ICE and DTLS are not done, so there is nothing to begin anew.
    #[error("the participant's media session is still being set up")]
    SessionConnecting,
    /// A fault of ours was met, and contained. If a participant was named who has a session, it has ended.
    #[error("a fault inside the node; its log has more")]
    InternalFault,
    /// The offer cannot be answered.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The candidate could not be parsed.
    #[error("the ICE candidate is malformed: {0}")]
    CandidateMalformed(String),
    /// The participant has given as many candidates as it may.
    #[error(
        "the participant has given {MAX_REMOTE_CANDIDATES} candidates, the most that are taken"
    )]
    CandidateLimit,
}

/// What a limit is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// One room.
    Room,
    /// One media worker.
    Worker,
}

impl std::fmt::Display for LimitScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Room => "room",
            Self::Worker => "worker",
        })
    }
}

/// Why an SDP offer (RFC 8829) cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is not an SDP.
    #[error("the offer is not a valid SDP: {0}")]
    Malformed(String),
    /// It has no audio line.
    #[error("the offer has no audio line that is in use")]
    NoAudio,
    /// It has audio lines, but none with Opus.
    #[error("the offer has no audio line with opus/48000/2")]
    NoCommonCodec,
    /// It has more audio lines than the room has slots.
    #[error("the offer has {offered} audio lines; the room has {slots} slots")]
    TooManyAudioLines {
        /// How many it has.
        offered: usize,
        /// How many slots the room has.
        slots: usize,
    },
    /// It is an SDP, but something that a session needs is missing or contradictory.
    #[error("the offer cannot be answered: {0}")]
    Unusable(String),
}
