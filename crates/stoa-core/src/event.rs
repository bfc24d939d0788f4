//! What the core tells the outside about rooms.

use std::sync::Arc;

use crate::{
    audio_level::AudioLevel,
    ids::{Csrc, ParticipantId, Revision, RoomId, SessionId},
    quality::ConnectionQuality,
    rights::{Mutes, Role},
    settings::{AudioMode, Metadata, RoomSettings},
};

/// Something happened in a room.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomEvent {
    /// In which room.
    pub room: RoomId,
    /// The room's revision after it. [`RoomEventKind::ActiveSpeakers`] does not change the room and
    /// repeats the revision; every other event has the revision of the one before, plus one.
    pub revision: Revision,
    /// What.
    pub kind: RoomEventKind,
}

/// What happened in a room.
#[derive(Debug, Clone, PartialEq)]
pub enum RoomEventKind {
    /// The room was created. Always the first event, with revision 1.
    Created(RoomSettings),
    /// The room's settings are other ones now: all of them, as they are after the change.
    RoomUpdated(RoomSettings),
    /// Somebody was admitted; ICE and DTLS are yet to come.
    Joined(ParticipantInfo),
    /// Somebody's ICE and DTLS are done.
    Connected {
        /// Who.
        participant: ParticipantId,
    },
    /// Something about somebody is different now.
    Updated(ParticipantInfo),
    /// Nothing comes from somebody any more; they may come back. Or they come back by a new session, which
    /// this one names, and have left the old one.
    Reconnecting(ParticipantInfo),
    /// Somebody is back.
    Resumed(ParticipantInfo),
    /// Somebody is gone.
    Left {
        /// Who.
        participant: ParticipantId,
        /// Which of their sessions.
        session: SessionId,
        /// Why.
        reason: LeaveReason,
    },
    /// Who is heard now. At most two a second for each room.
    ActiveSpeakers(ActiveSpeakers),
    /// The room is gone. Always the last event; everybody in it has left before.
    Closed(CloseReason),
}

/// Where somebody's media session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ConnectionState {
    /// ICE and DTLS are not done yet, and never were for this participant.
    #[default]
    Connecting,
    /// ICE and DTLS are done, and something authentic came from them within the ICE timeout.
    Connected,
    /// They were connected, and may be again: nothing is sent to them, and what they are in the room is kept
    /// ([`Limits::resume_window`](crate::Limits::resume_window)).
    Reconnecting,
}

/// Somebody in a room, as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantInfo {
    /// The caller's name for them.
    pub participant: ParticipantId,
    /// Their media session.
    pub session: SessionId,
    /// The name to show; not interpreted.
    pub display_name: Arc<str>,
    /// What names them in the packets of a slot.
    pub csrc: Csrc,
    /// Where their media session stands.
    pub state: ConnectionState,
    /// What they are in the room.
    pub role: Role,
    /// Who has silenced them.
    pub mutes: Mutes,
    /// The signalling service's own.
    pub metadata: Metadata,
    /// What their microphone carries.
    pub audio_mode: AudioMode,
    /// How well packets get through. Nothing until that is known.
    pub connection_quality: Option<ConnectionQuality>,
    /// Whether the levels that their client claims are not believed: they have said "loud" for longer
    /// than anybody talks without a breath.
    pub level_distrusted: bool,
}

/// Who is heard in a room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActiveSpeakers {
    /// Those who are heard with their smoothed levels, loudest first.
    pub speakers: Vec<(ParticipantId, AudioLevel)>,
    /// Who leads the conversation. Nobody if nobody is heard.
    pub dominant: Option<ParticipantId>,
}

/// A whole room at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSnapshot {
    /// Which room.
    pub room: RoomId,
    /// Its revision.
    pub revision: Revision,
    /// Its settings.
    pub settings: RoomSettings,
    /// Who is in it, in the order of their identifiers.
    pub participants: Vec<ParticipantInfo>,
}

/// Why a room is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// It was closed by a command.
    Closed,
    /// Nobody was in it for its [`RoomSettings::empty_timeout`].
    Empty,
    /// Nobody was heard in it for its [`RoomSettings::idle_timeout`].
    Idle,
    /// The node is shutting down.
    NodeShutdown,
}

/// Why somebody is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaveReason {
    /// They were removed by a command.
    Removed,
    /// They were removed by a command, and are not to come back.
    Banned,
    /// Their room was closed.
    RoomClosed,
    /// Nothing that was authentic came from them for the ICE timeout, nor for the time to resume after it.
    IceTimeout,
    /// ICE and DTLS were not done in time.
    ConnectTimeout,
    /// They closed their DTLS association.
    ClientClosed,
    /// Their session broke a rule of a protocol.
    MediaError,
    /// Their session met a fault of ours, which was contained: everybody else goes on. Whoever comes back has a
    /// new session.
    InternalFault,
    /// The node is shutting down.
    NodeShutdown,
}
