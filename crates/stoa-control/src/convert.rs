//! From the core's types to the API's.

use std::{collections::HashMap, time::SystemTime};

use prost_types::{FieldMask, Timestamp};
use stoa_api::v1::{self, ConnectionState};
use stoa_core::{LeaveReason, Metadata, ParticipantInfo, Role, RoomSettings, SpeakPolicy};

pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::from(time)
}

pub(crate) fn participant(info: &ParticipantInfo, joined: Timestamp) -> v1::Participant {
    v1::Participant {
        participant_id: info.participant.to_string(),
        session_id: info.session.to_string(),
        display_name: info.display_name.to_string(),
        csrc: info.csrc.0,
        state: match info.connected {
            true => ConnectionState::Connected.into(),
            false => ConnectionState::Connecting.into(),
        },
        join_time: Some(joined),
        role: role(info.role).into(),
        muted_by_moderator: info.mutes.by_moderator,
        muted_by_participant: info.mutes.by_participant,
        metadata: metadata(&info.metadata),
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
        ..v1::Room::default()
    }
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
    ])
}

/// What is other about a room's settings.
pub(crate) fn changed_settings(a: &RoomSettings, b: &RoomSettings) -> FieldMask {
    mask(&[
        ("audio_slots", a.audio_slots != b.audio_slots),
        ("speak_policy", a.speak_policy != b.speak_policy),
        ("max_participants", a.max_participants != b.max_participants),
        ("metadata", a.metadata != b.metadata),
    ])
}

pub(crate) fn leave_reason(reason: LeaveReason) -> v1::LeaveReason {
    match reason {
        LeaveReason::Removed => v1::LeaveReason::Removed,
        LeaveReason::RoomClosed => v1::LeaveReason::RoomClosed,
        LeaveReason::IceTimeout => v1::LeaveReason::IceTimeout,
        LeaveReason::ConnectTimeout => v1::LeaveReason::ConnectTimeout,
        LeaveReason::ClientClosed => v1::LeaveReason::ClientClosed,
        LeaveReason::MediaError => v1::LeaveReason::MediaError,
        LeaveReason::NodeShutdown => v1::LeaveReason::NodeShutdown,
    }
}
