//! From the core's types to the API's.

use std::time::SystemTime;

use prost_types::Timestamp;
use stoa_api::v1::{self, ConnectionState};
use stoa_core::{LeaveReason, ParticipantInfo};

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
    }
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
