//! From the core's types to the API's.

use std::{collections::HashMap, time::SystemTime};

use prost_types::{Duration, FieldMask, Timestamp};
use stoa_api::v1::{self, ConnectionState};
use stoa_core::{
    ActiveSpeakers, AudioLevel, AudioMode, CloseReason, ConnectionQuality, LeaveReason, Metadata,
    ParticipantId, ParticipantInfo, Role, RoomSettings, RoomTimeout, SpeakPolicy,
};

pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::from(time)
}

pub(crate) fn participant(info: &ParticipantInfo, joined: Timestamp) -> v1::Participant {
    v1::Participant {
        participant_id: info.participant.to_string(),
        session_id: info.session.to_string(),
        display_name: info.display_name.to_string(),
        csrc: info.csrc.0,
        state: connection_state(info.state).into(),
        join_time: Some(joined),
        role: role(info.role).into(),
        muted_by_moderator: info.mutes.by_moderator,
        muted_by_participant: info.mutes.by_participant,
        metadata: metadata(&info.metadata),
        audio_mode: audio_mode(info.audio_mode).into(),
        connection_quality: quality(info.connection_quality).into(),
        level_distrusted: info.level_distrusted,
    }
}

fn connection_state(state: stoa_core::ConnectionState) -> ConnectionState {
    match state {
        stoa_core::ConnectionState::Connecting => ConnectionState::Connecting,
        stoa_core::ConnectionState::Connected => ConnectionState::Connected,
        stoa_core::ConnectionState::Reconnecting => ConnectionState::Reconnecting,
    }
}

fn audio_mode(mode: AudioMode) -> v1::AudioMode {
    match mode {
        AudioMode::Speech => v1::AudioMode::Speech,
        AudioMode::Music => v1::AudioMode::Music,
    }
}

fn quality(quality: Option<ConnectionQuality>) -> v1::ConnectionQuality {
    match quality {
        None => v1::ConnectionQuality::Unspecified,
        Some(ConnectionQuality::Good) => v1::ConnectionQuality::Good,
        Some(ConnectionQuality::Fair) => v1::ConnectionQuality::Fair,
        Some(ConnectionQuality::Poor) => v1::ConnectionQuality::Poor,
    }
}

pub(crate) fn active_speakers(active: ActiveSpeakers) -> v1::ActiveSpeakers {
    let speaker = |(who, level): (ParticipantId, AudioLevel)| v1::ActiveSpeaker {
        participant_id: who.to_string(),
        level_dbov: u32::from(level.minus_dbov()),
    };
    v1::ActiveSpeakers {
        speakers: active.speakers.into_iter().map(speaker).collect(),
        dominant_participant_id: active
            .dominant
            .map_or_else(String::new, |who| who.to_string()),
    }
}

fn role(role: Role) -> v1::Role {
    match role {
        Role::Listener => v1::Role::Listener,
        Role::Speaker => v1::Role::Speaker,
        Role::Moderator => v1::Role::Moderator,
    }
}

fn metadata(metadata: &Metadata) -> HashMap<String, String> {
    metadata.entries().clone().into_iter().collect()
}

/// A room's settings, in an otherwise empty room.
pub(crate) fn settings(settings: &RoomSettings) -> v1::Room {
    let speak_policy = match settings.speak_policy {
        SpeakPolicy::Everyone => v1::SpeakPolicy::Everyone,
        SpeakPolicy::SpeakersOnly => v1::SpeakPolicy::SpeakersOnly,
    };
    v1::Room {
        audio_slots: count(settings.audio_slots.count()),
        speak_policy: speak_policy.into(),
        max_participants: settings.max_participants.map_or(0, count),
        metadata: metadata(&settings.metadata),
        // At most 200 ms, so it fits.
        speech_preroll: Duration::try_from(settings.speech_preroll.duration()).ok(),
        empty_timeout: timeout(settings.empty_timeout),
        idle_timeout: timeout(settings.idle_timeout),
        ..v1::Room::default()
    }
}

/// Zero stands for none. At most a week, so it fits.
fn timeout(timeout: Option<RoomTimeout>) -> Option<Duration> {
    let duration = timeout.map_or(std::time::Duration::ZERO, RoomTimeout::duration);
    Duration::try_from(duration).ok()
}

pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Which of these hold.
fn mask(changes: &[(&str, bool)]) -> FieldMask {
    let changed = changes.iter().filter(|(_, changed)| *changed);
    FieldMask {
        paths: changed.map(|(path, _)| (*path).to_owned()).collect(),
    }
}

/// What is other about a participant.
pub(crate) fn changed_participant(a: &v1::Participant, b: &v1::Participant) -> FieldMask {
    mask(&[
        ("role", a.role != b.role),
        (
            "muted_by_moderator",
            a.muted_by_moderator != b.muted_by_moderator,
        ),
        (
            "muted_by_participant",
            a.muted_by_participant != b.muted_by_participant,
        ),
        ("display_name", a.display_name != b.display_name),
        ("metadata", a.metadata != b.metadata),
        ("audio_mode", a.audio_mode != b.audio_mode),
        (
            "connection_quality",
            a.connection_quality != b.connection_quality,
        ),
        ("level_distrusted", a.level_distrusted != b.level_distrusted),
    ])
}

/// What is other about a room's settings.
pub(crate) fn changed_settings(a: &RoomSettings, b: &RoomSettings) -> FieldMask {
    mask(&[
        ("audio_slots", a.audio_slots != b.audio_slots),
        ("speak_policy", a.speak_policy != b.speak_policy),
        ("max_participants", a.max_participants != b.max_participants),
        ("metadata", a.metadata != b.metadata),
        ("speech_preroll", a.speech_preroll != b.speech_preroll),
        ("empty_timeout", a.empty_timeout != b.empty_timeout),
        ("idle_timeout", a.idle_timeout != b.idle_timeout),
    ])
}

pub(crate) fn close_reason(reason: CloseReason) -> v1::RoomCloseReason {
    match reason {
        CloseReason::Closed => v1::RoomCloseReason::Closed,
        CloseReason::Empty => v1::RoomCloseReason::Empty,
        CloseReason::Idle => v1::RoomCloseReason::Idle,
        CloseReason::NodeShutdown => v1::RoomCloseReason::NodeShutdown,
    }
}

pub(crate) fn leave_reason(reason: LeaveReason) -> v1::LeaveReason {
    match reason {
        LeaveReason::Removed => v1::LeaveReason::Removed,
        LeaveReason::Banned => v1::LeaveReason::Banned,
        LeaveReason::RoomClosed => v1::LeaveReason::RoomClosed,
        LeaveReason::IceTimeout => v1::LeaveReason::IceTimeout,
        LeaveReason::ConnectTimeout => v1::LeaveReason::ConnectTimeout,
        LeaveReason::ClientClosed => v1::LeaveReason::ClientClosed,
        LeaveReason::MediaError => v1::LeaveReason::MediaError,
        LeaveReason::InternalFault => v1::LeaveReason::InternalFault,
        LeaveReason::NodeShutdown => v1::LeaveReason::NodeShutdown,
    }
}

/// Whether it makes sense to join again after this end.
pub(crate) fn return_advice(reason: LeaveReason) -> v1::ReturnAdvice {
    match reason {
        // Somebody has decided it, and it would be refused or be against that; the client itself where it
        // has said goodbye. Who closes a room may open it again, but that is not the participant's to try.
        LeaveReason::Removed
        | LeaveReason::Banned
        | LeaveReason::RoomClosed
        | LeaveReason::ClientClosed => v1::ReturnAdvice::None,
        // Nobody wanted it: the network, a slow client, or a fault.
        LeaveReason::IceTimeout
        | LeaveReason::ConnectTimeout
        | LeaveReason::MediaError
        | LeaveReason::InternalFault => v1::ReturnAdvice::Here,
        LeaveReason::NodeShutdown => v1::ReturnAdvice::Elsewhere,
    }
}
