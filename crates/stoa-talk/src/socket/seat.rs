//! One browser's place in a room.

use std::sync::Arc;

use stoa_client::{
    Client, reason,
    v1::{
        AddIceCandidateRequest, ErrorReason, MuteSource, Participant, RemoveParticipantRequest,
        Role as StoaRole, SetMutedRequest, SetRoleRequest, Subscription, SubscriptionMode,
        UpdateParticipantRequest, UpdateSubscriptionsRequest,
    },
};
use tonic::{Code, Status};

use crate::{
    hub::{Command, Handle},
    problem::Problem,
    store::people::PersonRow,
    talk::Talk,
};

/// A participant in a room, from the attempt to join on.
pub(super) struct Seat {
    pub(super) talk: Arc<Talk>,
    pub(super) room: String,
    /// The participant's id.
    pub(super) id: String,
    /// Empty until Stoa has answered.
    pub(super) session_id: String,
    /// Tells this socket from another one of the same participant.
    pub(super) number: u64,
    /// Keeps the room's hub alive.
    pub(super) hub: Handle,
}

/// A part of what the database says about somebody, which Stoa has to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    /// What they are in the room.
    Role,
    /// Whether a moderator has muted them.
    Mute,
    /// Hand, invitation, and who made the room.
    Metadata,
}

impl Seat {
    pub(super) async fn candidate(&self, candidate: String) -> Result<(), Problem> {
        let request = AddIceCandidateRequest {
            room_id: self.room.clone(),
            participant_id: self.id.clone(),
            session_id: self.session_id.clone(),
            candidate,
        };
        let answer = self.talk.client().rooms().add_ice_candidate(request).await;
        answer
            .map(drop)
            .map_err(|status| Problem::from_stoa(&status))
    }

    /// The participant's own mute.
    pub(super) async fn mute(&self, muted: bool) -> Result<(), Problem> {
        let request = SetMutedRequest {
            room_id: self.room.clone(),
            participant_id: self.id.clone(),
            session_id: self.session_id.clone(),
            source: MuteSource::Participant.into(),
            muted,
        };
        let answer = self.talk.client().rooms().set_muted(request).await;
        answer
            .map(drop)
            .map_err(|status| Problem::from_stoa(&status))
    }

    /// Has Stoa forward everybody to this browser but these.
    pub(super) async fn do_not_hear(&self, ids: &[String]) -> Result<(), Problem> {
        let request = UpdateSubscriptionsRequest {
            room_id: self.room.clone(),
            participant_id: self.id.clone(),
            session_id: self.session_id.clone(),
            subscription: Some(all_except(ids)),
        };
        let mut rooms = self.talk.client().rooms();
        let answer = rooms.update_subscriptions(request).await;
        answer
            .map(drop)
            .map_err(|status| Problem::from_stoa(&status))
    }

    /// Makes Stoa's participant what the database says, whoever it is; one who is not in the room
    /// now will be like that when they come.
    pub(super) async fn show(&self, row: &PersonRow, aspects: &[Aspect]) -> Result<(), Problem> {
        for aspect in aspects {
            let shown = match aspect {
                Aspect::Role => self.show_role(row).await,
                Aspect::Mute => self.show_mute(row).await,
                Aspect::Metadata => self.show_metadata(row).await,
            };
            match shown {
                Err(status) if !is_away(&status) => return Err(Problem::from_stoa(&status)),
                _ => {}
            }
        }
        Ok(())
    }

    async fn show_role(&self, row: &PersonRow) -> Result<(), Status> {
        let request = SetRoleRequest {
            room_id: self.room.clone(),
            participant_id: row.id.clone(),
            session_id: String::new(),
            role: StoaRole::from(row.role).into(),
        };
        self.talk.client().rooms().set_role(request).await.map(drop)
    }

    async fn show_mute(&self, row: &PersonRow) -> Result<(), Status> {
        let request = SetMutedRequest {
            room_id: self.room.clone(),
            participant_id: row.id.clone(),
            session_id: String::new(),
            source: MuteSource::Moderator.into(),
            muted: row.muted,
        };
        self.talk
            .client()
            .rooms()
            .set_muted(request)
            .await
            .map(drop)
    }

    async fn show_metadata(&self, row: &PersonRow) -> Result<(), Status> {
        let request = UpdateParticipantRequest {
            room_id: self.room.clone(),
            participant: Some(Participant {
                participant_id: row.id.clone(),
                metadata: row.metadata(),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["metadata".to_owned()],
            }),
        };
        let mut rooms = self.talk.client().rooms();
        rooms.update_participant(request).await.map(drop)
    }

    /// Ends somebody's media session: this one, or, where it is empty, any that they have.
    pub(super) async fn remove_from_stoa(&self, id: &str, session: &str) -> Result<(), Status> {
        remove_from_stoa(self.talk.client(), &self.room, id, session).await
    }

    /// Takes the participant out of the room, where Stoa has not done so already.
    pub(super) async fn vacate(self) {
        let detach = |was_here| Command::Detach {
            id: self.id.clone(),
            seat: self.number,
            was_here,
        };
        // A hub that is gone has nobody else in this place.
        let alone = self.hub.ask(detach).await.unwrap_or(true);
        if self.session_id.is_empty() && !alone {
            // The session in Stoa is that of another window.
            return;
        }
        if let Err(status) = self.remove_from_stoa(&self.id, &self.session_id).await {
            // Stoa notices by itself that the browser has stopped.
            tracing::warn!(code = ?status.code(), "participant not removed");
        }
    }
}

/// Ends a participant's media session in this room: this one, or, where it is empty, any.
pub(crate) async fn remove_from_stoa(
    client: &Client,
    room: &str,
    id: &str,
    session: &str,
) -> Result<(), Status> {
    let request = RemoveParticipantRequest {
        room_id: room.to_owned(),
        participant_id: id.to_owned(),
        session_id: session.to_owned(),
    };
    match client.rooms().remove_participant(request).await {
        Err(status) if !matches!(status.code(), Code::NotFound | Code::FailedPrecondition) => {
            Err(status)
        }
        _ => Ok(()),
    }
}

/// The choice of hearing everybody but these.
pub(super) fn all_except(ids: &[String]) -> Subscription {
    Subscription {
        mode: SubscriptionMode::AllExcept.into(),
        participant_ids: ids.to_vec(),
    }
}

/// Whether a call failed because the participant, or everybody, is not in the room.
fn is_away(status: &Status) -> bool {
    matches!(
        reason(status),
        Some(ErrorReason::ParticipantNotFound | ErrorReason::RoomNotFound)
    )
}
