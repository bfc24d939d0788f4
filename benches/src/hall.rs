//! A room of a real daemon, and how peers come into it.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use stoa_client::{
    Client,
    v1::{
        CreateRoomRequest, ErrorReason, JoinRequest, JoinResponse, Participant, Role, Room,
        SetRoleRequest, SpeakPolicy,
    },
};
use stoa_core::ParticipantId;
use tokio::sync::oneshot;

use crate::{
    peer::{Attention, Peer, PeerError},
    swarm::{Swarm, SwarmError},
};

/// How long ICE and DTLS may take, while a storm of others joins.
const CONNECT: Duration = Duration::from_secs(60);

/// Why nobody comes in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HallError {
    #[error("the daemon refused {what}: {why}")]
    Refused { what: &'static str, why: String },
    #[error("the daemon is full")]
    Saturated,
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Swarm(#[from] SwarmError),
    #[error("{0} did not connect within {CONNECT:?}")]
    NotConnected(ParticipantId),
}

/// The room, in which speakers and moderators speak.
#[derive(Clone)]
pub(crate) struct Hall {
    client: Client,
    name: &'static str,
    slots: usize,
}

/// Somebody who has been let in and is on their way.
pub(crate) struct Coming {
    who: ParticipantId,
    /// What names them in packets.
    pub(crate) csrc: u32,
    /// Where their socket is.
    pub(crate) address: SocketAddr,
    connected: oneshot::Receiver<Result<(), PeerError>>,
}

impl Hall {
    /// Makes the room, with so many slots.
    pub(crate) async fn open(
        client: Client,
        name: &'static str,
        slots: usize,
    ) -> Result<Self, HallError> {
        let room = Room {
            audio_slots: u32::try_from(slots).unwrap_or(u32::MAX),
            speak_policy: SpeakPolicy::SpeakersOnly.into(),
            ..Room::default()
        };
        let request = CreateRoomRequest {
            room_id: name.to_owned(),
            room: Some(room),
            ..CreateRoomRequest::default()
        };
        let created = client.rooms().create_room(request).await;
        created.map_err(|status| refused("a room", &status))?;
        Ok(Self {
            client,
            name,
            slots,
        })
    }

    /// Lets somebody in, and hands them to the swarm. They have as many lines as the room has slots.
    pub(crate) async fn admit(
        &self,
        swarm: &Swarm,
        participant: &str,
        role: Role,
        attention: Attention,
    ) -> Result<Coming, HallError> {
        let who = ParticipantId::new(participant).expect("benches choose valid names");
        let mut peer = Peer::open(who.clone(), self.slots, attention)?;
        let offer = peer.offer().to_owned();
        let answer = join(&self.client, self.name, participant, role, offer).await?;
        peer.accept(&answer.sdp_answer)?;
        Ok(Coming {
            who,
            address: peer.address(),
            csrc: answer
                .participant
                .map_or(0, |Participant { csrc, .. }| csrc),
            connected: swarm.add(peer)?,
        })
    }

    /// Gives somebody a role. Returns when the call was made and when its answer had come.
    pub(crate) async fn set_role(
        &self,
        participant: &str,
        role: Role,
    ) -> Result<(SystemTime, SystemTime), HallError> {
        let request = SetRoleRequest {
            room_id: self.name.to_owned(),
            participant_id: participant.to_owned(),
            role: role.into(),
            ..SetRoleRequest::default()
        };
        let called = SystemTime::now();
        let answer = self.client.rooms().set_role(request).await;
        let answered = SystemTime::now();
        answer.map_err(|status| refused("a role", &status))?;
        Ok((called, answered))
    }
}

impl Coming {
    /// Waits until they are connected, in the swarm to which they were handed.
    pub(crate) async fn connected(self, swarm: &Swarm) -> Result<(), HallError> {
        match tokio::time::timeout(CONNECT, self.connected).await {
            Ok(Ok(connected)) => Ok(connected?),
            Ok(Err(_)) => Err(swarm.ended().into()),
            Err(_) => Err(HallError::NotConnected(self.who)),
        }
    }
}

/// Asks for somebody to be let into a room with this offer.
pub(crate) async fn join(
    client: &Client,
    room: &str,
    participant: &str,
    role: Role,
    offer: String,
) -> Result<JoinResponse, HallError> {
    let request = JoinRequest {
        room_id: room.to_owned(),
        participant_id: participant.to_owned(),
        sdp_offer: offer,
        role: role.into(),
        ..JoinRequest::default()
    };
    let answer = client.rooms().join(request).await;
    let answer = answer.map_err(|status| match stoa_client::reason(&status) {
        Some(ErrorReason::NodeSaturated) => HallError::Saturated,
        _ => refused("a join", &status),
    })?;
    Ok(answer.into_inner())
}

fn refused(what: &'static str, why: &impl ToString) -> HallError {
    HallError::Refused {
        what,
        why: why.to_string(),
    }
}
