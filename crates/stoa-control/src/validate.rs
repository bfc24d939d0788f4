//! Requests as the handlers want them: checked, all wrong fields named at once.

mod bans;
mod changes;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use prost_types::Timestamp;
use stoa_api::v1;
use stoa_core::{Join, ParticipantId, RoomId, RoomSettings, SessionId, limits::MAX_OFFER_BYTES};

pub(crate) use bans::{ban, banned};
pub(crate) use changes::{room_update, set_muted, set_role, subscription, update_participant};

use crate::{config::RoomDefaults, errors::Failure, resume::MAX_RESUME_TOKEN_BYTES};

/// The longest name to show, in bytes.
const MAX_DISPLAY_NAME_BYTES: usize = 256;
/// The longest candidate, in bytes. Browsers send fewer than 300.
const MAX_CANDIDATE_BYTES: usize = 1024;
/// The longest `request_id`, in characters.
const MAX_REQUEST_ID_CHARACTERS: usize = 128;

/// Collects what is wrong.
#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn take<T, E: ToString>(&mut self, field: &'static str, parsed: Result<T, E>) -> Option<T> {
        parsed
            .map_err(|error| self.0.push((field, error.to_string())))
            .ok()
    }

    fn room(&mut self, text: &str) -> Option<RoomId> {
        self.take("room_id", RoomId::new(text))
    }

    fn room_or_all(&mut self, field: &'static str, text: &str) -> Option<String> {
        if text.is_empty() {
            return Some(String::new());
        }
        self.take(field, RoomId::new(text)).map(|_| text.to_owned())
    }

    fn participant(&mut self, text: &str) -> Option<ParticipantId> {
        self.take("participant_id", ParticipantId::new(text))
    }

    /// The inner option is what the caller may leave out.
    fn session(&mut self, text: &str) -> Option<Option<SessionId>> {
        if text.is_empty() {
            return Some(None);
        }
        self.take("session_id", SessionId::new(text)).map(Some)
    }

    /// When something was decided; none means now.
    fn issued(
        &mut self,
        time: Option<&Timestamp>,
        now: SystemTime,
        oldest: Duration,
    ) -> Option<SystemTime> {
        let Some(time) = time else {
            return Some(now);
        };
        let time = SystemTime::try_from(*time).ok();
        let age = time.map(|time| now.duration_since(time).unwrap_or_default());
        match age {
            // A clock that is ahead of ours decides nothing beforehand.
            Some(age) if age < oldest => time.map(|time| time.min(now)),
            _ => {
                let seconds = oldest.as_secs();
                let why = format!("must be a time of the last {seconds} seconds");
                self.0.push(("issue_time", why));
                None
            }
        }
    }

    fn at_most(&mut self, field: &'static str, text: &str, bytes: usize) {
        if text.len() > bytes {
            let length = text.len();
            self.0.push((
                field,
                format!("has {length} bytes; it may have {bytes} at most"),
            ));
        }
    }

    fn offer(&mut self, text: &str) {
        self.at_most("sdp_offer", text, MAX_OFFER_BYTES);
        if text.is_empty() {
            let why = "is empty; it must be the client's offer";
            self.0.push(("sdp_offer", why.into()));
        }
    }

    fn request_id(&mut self, text: &str) {
        let length = text.chars().count();
        if length > MAX_REQUEST_ID_CHARACTERS {
            let most = MAX_REQUEST_ID_CHARACTERS;
            let why = format!("has {length} characters; it may have {most} at most");
            self.0.push(("request_id", why));
        }
    }

    /// The request, if every part of it is there and nothing is wrong.
    fn finish<T>(self, request: Option<T>) -> Result<T, Failure> {
        match request {
            Some(request) if self.0.is_empty() => Ok(request),
            _ => Err(Failure::fields(self.0)),
        }
    }
}

/// For the requests that have nothing but a room.
pub(crate) fn room(room_id: &str) -> Result<RoomId, Failure> {
    let mut fields = Fields::default();
    let room = fields.room(room_id);
    fields.finish(room)
}

pub(crate) fn create_room(
    request: &v1::CreateRoomRequest,
    defaults: &RoomDefaults,
) -> Result<(RoomId, RoomSettings), Failure> {
    let mut fields = Fields::default();
    let room = fields.room(&request.room_id);
    fields.request_id(&request.request_id);
    let none = v1::Room::default();
    let settings = fields.settings(request.room.as_ref().unwrap_or(&none), defaults);
    fields.finish(room.zip(settings))
}

/// A join, and when it was decided: now, or at most `oldest` ago.
pub(crate) fn join(
    request: &v1::JoinRequest,
    now: SystemTime,
    oldest: Duration,
) -> Result<(Join, SystemTime), Failure> {
    let mut fields = Fields::default();
    let room = fields.room(&request.room_id);
    let participant = fields.participant(&request.participant_id);
    fields.at_most(
        "display_name",
        &request.display_name,
        MAX_DISPLAY_NAME_BYTES,
    );
    fields.offer(&request.sdp_offer);
    fields.request_id(&request.request_id);
    fields.at_most(
        "resume_token",
        &request.resume_token,
        MAX_RESUME_TOKEN_BYTES,
    );
    let role = fields.role("role", request.role);
    let metadata = fields.metadata("metadata", &request.metadata);
    let audio_mode = fields.audio_mode("audio_mode", request.audio_mode);
    let subscription = fields.subscription(request.subscription.as_ref());
    let issued = fields.issued(request.issue_time.as_ref(), now, oldest);
    let join = || {
        Some(Join {
            room: room?,
            participant: participant?,
            display_name: Arc::from(request.display_name.as_str()),
            offer: request.sdp_offer.clone(),
            role: role?,
            metadata: metadata?,
            audio_mode: audio_mode?,
            subscription: subscription?,
            resume: None,
            may_publish: true,
        })
    };
    fields.finish(join().zip(issued))
}

/// One participant of one room, and perhaps one of its sessions.
pub(crate) type Member = (RoomId, ParticipantId, Option<SessionId>);

fn member(fields: &mut Fields, room: &str, participant: &str, session: &str) -> Option<Member> {
    let room = fields.room(room);
    let participant = fields.participant(participant);
    let session = fields.session(session);
    Some((room?, participant?, session?))
}

pub(crate) fn candidate(request: &v1::AddIceCandidateRequest) -> Result<Member, Failure> {
    let mut fields = Fields::default();
    let v1::AddIceCandidateRequest {
        room_id,
        participant_id,
        session_id,
        candidate,
    } = request;
    let member = member(&mut fields, room_id, participant_id, session_id);
    fields.at_most("candidate", candidate, MAX_CANDIDATE_BYTES);
    fields.finish(member)
}

pub(crate) fn renegotiation(request: &v1::RenegotiateRequest) -> Result<Member, Failure> {
    let mut fields = Fields::default();
    let v1::RenegotiateRequest {
        room_id,
        participant_id,
        session_id,
        sdp_offer,
    } = request;
    let member = member(&mut fields, room_id, participant_id, session_id);
    fields.offer(sdp_offer);
    fields.finish(member)
}

/// Gives a request of somebody who comes back what they are in the room.
pub(crate) fn take_from(join: &mut Join, known: &v1::Participant) {
    let mut fields = Fields::default();
    join.role = fields.role("role", known.role).unwrap_or(join.role);
    let mode = fields.audio_mode("audio_mode", known.audio_mode);
    join.audio_mode = mode.unwrap_or(join.audio_mode);
}

pub(crate) fn removal(request: &v1::RemoveParticipantRequest) -> Result<Member, Failure> {
    let mut fields = Fields::default();
    let v1::RemoveParticipantRequest {
        room_id,
        participant_id,
        session_id,
    } = request;
    let member = member(&mut fields, room_id, participant_id, session_id);
    fields.finish(member)
}

#[cfg(test)]
mod tests {
    use tonic::Status;
    use tonic_types::StatusExt as _;

    use super::*;

    fn fields(failure: Failure) -> Vec<String> {
        let bad = Status::from(failure)
            .get_details_bad_request()
            .expect("there is one");
        bad.field_violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn every_wrong_field_is_named() {
        let request = v1::JoinRequest {
            room_id: "a b".into(),
            participant_id: String::new(),
            display_name: "x".repeat(MAX_DISPLAY_NAME_BYTES + 1),
            sdp_offer: "v".repeat(MAX_OFFER_BYTES + 1),
            request_id: "é".repeat(MAX_REQUEST_ID_CHARACTERS + 1),
            resume_token: "x".repeat(MAX_RESUME_TOKEN_BYTES + 1),
            role: 99,
            metadata: [(String::new(), String::new())].into(),
            audio_mode: 99,
            subscription: Some(v1::Subscription {
                mode: 99,
                participant_ids: Vec::new(),
            }),
            issue_time: Some(Timestamp {
                seconds: -1,
                nanos: 0,
            }),
        };
        let failure =
            join(&request, SystemTime::UNIX_EPOCH, Duration::ZERO).expect_err("nothing is right");
        let all = [
            "room_id",
            "participant_id",
            "display_name",
            "sdp_offer",
            "request_id",
            "resume_token",
            "role",
            "metadata",
            "audio_mode",
            "subscription.mode",
            "issue_time",
        ];
        assert_eq!(fields(failure), all);
    }

    #[test]
    fn what_is_just_within_the_limits_passes() {
        let request = v1::JoinRequest {
            room_id: "a".into(),
            participant_id: "b".into(),
            display_name: "x".repeat(MAX_DISPLAY_NAME_BYTES),
            sdp_offer: "v".repeat(MAX_OFFER_BYTES),
            request_id: "é".repeat(MAX_REQUEST_ID_CHARACTERS),
            resume_token: "x".repeat(MAX_RESUME_TOKEN_BYTES),
            role: v1::Role::Moderator.into(),
            metadata: [("k".to_owned(), "v".to_owned())].into(),
            audio_mode: v1::AudioMode::Music.into(),
            subscription: None,
            issue_time: None,
        };
        assert!(join(&request, SystemTime::UNIX_EPOCH, Duration::ZERO).is_ok());
    }

    #[test]
    fn a_session_may_be_left_out_but_not_be_wrong() {
        let mut request = v1::RemoveParticipantRequest {
            room_id: "a".into(),
            participant_id: "b".into(),
            session_id: String::new(),
        };
        assert!(matches!(removal(&request), Ok((_, _, None))));
        request.session_id = "not a session".into();
        assert_eq!(
            fields(removal(&request).expect_err("it is wrong")),
            ["session_id"]
        );
    }
}
