//! A room and those in it as whoever looks after the node wants to see them.

use std::time::Duration;

use crate::{
    audio_level::AudioLevel,
    egress::direct::Reception,
    endpoint::Endpoint,
    event::ParticipantInfo,
    ids::{ParticipantId, Revision},
    node::SeatAt,
    settings::RoomSettings,
    stats::DropReason,
};

/// A room, as its home knows it.
#[derive(Debug, Clone)]
pub struct RoomInspection {
    /// Its revision.
    pub revision: Revision,
    /// Its settings.
    pub settings: RoomSettings,
    /// How many are in it.
    pub participant_count: usize,
    /// Those who may be heard first, and no more than
    /// [`MAX_INSPECTED`](crate::limits::MAX_INSPECTED).
    pub participants: Vec<ParticipantInspection>,
    /// Who holds each slot, as those hear it who have made no choice, and for how long.
    pub slots: Vec<Option<(ParticipantId, Duration)>>,
    /// Whom those hear who hold the slots.
    pub understudy: Option<ParticipantId>,
    /// Packets of its speakers that were beyond its tenant's quota, one for each listener.
    pub over_quota: u64,
}

/// Somebody in a room, as its home knows them.
#[derive(Debug, Clone)]
pub struct ParticipantInspection {
    /// As others see them.
    pub info: ParticipantInfo,
    /// Whether they may be heard.
    pub may_speak: bool,
    /// Their smoothed level, if they may.
    pub level: Option<AudioLevel>,
    /// On how many lines they listen.
    pub lines: usize,
    /// Whether they have not chosen whom to hear.
    pub hears_everybody: bool,
    /// Where they have their seat.
    pub seat: SeatAt,
}

/// Somebody, as the worker of their seat knows them.
#[derive(Debug, Clone)]
pub struct SeatInspection {
    /// Where they are reached.
    pub endpoint: Option<Endpoint>,
    /// Whether ICE and DTLS are done.
    pub is_connected: bool,
    /// For how long nothing authentic has come from them.
    pub silent_for: Duration,
    /// For how long nothing has been sent to them because of that.
    pub away_for: Option<Duration>,
    /// Which part of their packets was lost on the way to us lately, 0 to 1.
    pub uplink_loss: Option<f32>,
    /// Which part of our packets was lost on the way to them lately, 0 to 1.
    pub downlink_loss: Option<f32>,
    /// From here to them and back.
    pub round_trip: Option<Duration>,
    /// What they have reported of the session as a whole.
    pub reception: Option<Reception>,
    /// What was dropped of what they sent, since the seat was taken.
    pub dropped: Vec<(DropReason, u32)>,
}
