//! What `fuzz/` needs beyond the crate's interface: requests are decoded and checked without a server. No part of
//! the interface; why it has no feature of its own stands in `stoa-core/src/fuzz.rs`.

use std::time::{Duration, SystemTime};

use stoa_api::v1;

use crate::{config::RoomDefaults, errors::Failure, paging, validate};

/// A request that was decoded.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each is the request of its name")]
pub enum Request {
    CreateRoom(v1::CreateRoomRequest),
    Join(v1::JoinRequest),
    Renegotiate(v1::RenegotiateRequest),
    AddIceCandidate(v1::AddIceCandidateRequest),
    SetRole(v1::SetRoleRequest),
    SetMuted(v1::SetMutedRequest),
    UpdateParticipant(v1::UpdateParticipantRequest),
    UpdateSubscriptions(v1::UpdateSubscriptionsRequest),
    RemoveParticipant(v1::RemoveParticipantRequest),
    CreateBan(v1::CreateBanRequest),
}

impl Request {
    /// Whether the handler would go on with it.
    ///
    /// # Errors
    /// What the caller is told.
    pub fn check(&self, now: SystemTime, oldest: Duration) -> Result<(), Failure> {
        let defaults = RoomDefaults::default();
        match self {
            Self::CreateRoom(request) => validate::create_room(request, &defaults).map(drop),
            Self::Join(request) => validate::join(request, now, oldest).map(drop),
            Self::Renegotiate(request) => validate::renegotiation(request).map(drop),
            Self::AddIceCandidate(request) => validate::candidate(request).map(drop),
            Self::SetRole(request) => validate::set_role(request).map(drop),
            Self::SetMuted(request) => validate::set_muted(request).map(drop),
            Self::UpdateParticipant(request) => validate::update_participant(request).map(drop),
            Self::UpdateSubscriptions(request) => validate::subscription(request).map(drop),
            Self::RemoveParticipant(request) => validate::removal(request).map(drop),
            Self::CreateBan(request) => validate::ban(request, now).map(drop),
        }
    }
}

/// The status that a failure becomes.
pub fn status(failure: Failure) -> tonic::Status {
    failure.into()
}

/// The text in a page token, if it is one.
pub fn page_token(token: &str) -> Option<String> {
    paging::decode(token)
}

/// A page token with this text.
pub fn page_token_of(text: &str) -> String {
    paging::encode(text)
}
