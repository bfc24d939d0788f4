//! A Stoa, by its control API.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use async_trait::async_trait;
use stoa_client::{
    Client, ClientConfig, Credential, TrustAnchors, reason,
    v1::{self, ErrorReason},
};
use tonic::{Code, Status};

use super::{
    Abilities, Admission, Datagrams, Entrant, Refusal, Standing, Target, TargetError, read, resolve,
};
use crate::scenario::{Role, Room, SpeakPolicy};

/// How long a call may take: one in a storm of a thousand waits for those before it.
const CALL: Duration = Duration::from_secs(30);

/// How long the question may take whether the server is there.
const LOOK: Duration = Duration::from_secs(2);

/// Where a server is and how to call it.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// `https://HOST:PORT` of the control API.
    pub(crate) url: String,
    /// PEM file of the authority that vouches for it.
    pub(crate) ca_file: PathBuf,
    /// File with the key to call with, alone on its first line.
    pub(crate) api_key_file: PathBuf,
    /// The name in its certificate, if that is not the host.
    pub(crate) server_name: Option<String>,
}

/// What a Stoa can do: everything.
pub(crate) const ABILITIES: Abilities = Abilities {
    kind: "a Stoa",
    is_two_way: true,
    hears_newcomers: true,
    moderates: true,
    resumes: true,
};

/// A Stoa.
pub(crate) struct Stoa {
    client: Client,
    url: String,
    address: SocketAddr,
}

impl Stoa {
    /// Connects, and looks whether calls are taken.
    ///
    /// # Errors
    /// [`TargetError`].
    pub(crate) async fn connect(address: &Address) -> Result<Self, TargetError> {
        let url = address.url.clone();
        let ca = read(&address.ca_file)?;
        let key = stoa_secret::read_first_line(&address.api_key_file)?;
        let mut config = ClientConfig::new(&url, TrustAnchors::Pem(ca), Credential::ApiKey(key));
        config.server_name.clone_from(&address.server_name);
        config.timeouts.call = CALL;
        let client = Client::connect(config).await;
        let client = client.map_err(|error| TargetError::Connect {
            url: url.clone(),
            reason: error.to_string(),
        })?;
        let host = url.strip_prefix("https://").unwrap_or(&url);
        let stoa = Self {
            address: resolve(host.trim_end_matches('/'), &url)?,
            client,
            url: url.clone(),
        };
        let standing = stoa.standing().await;
        standing.map_err(|refusal| TargetError::Refused { url, refusal })?;
        Ok(stoa)
    }
}

#[async_trait]
impl Target for Stoa {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    async fn standing(&self) -> Result<Standing, Refusal> {
        let mut request = tonic::Request::new(v1::GetStatusRequest {});
        request.set_timeout(LOOK);
        let status = self.client.node().get_status(request).await?.into_inner();
        // Those who do not run the node are told of none.
        let mut datagrams: Option<Datagrams> = None;
        for worker in status.workers {
            let sum = datagrams.get_or_insert_default();
            sum.received += worker.datagrams_received;
            sum.sent += worker.datagrams_sent;
            for (reason, count) in worker.datagrams_dropped {
                *sum.dropped.entry(reason).or_default() += count;
            }
        }
        Ok(Standing {
            version: status.version,
            datagrams,
        })
    }

    async fn open_room(&self, name: &str, room: &Room) -> Result<(), Refusal> {
        let policy = match room.speak_policy {
            SpeakPolicy::Everyone => v1::SpeakPolicy::Everyone,
            SpeakPolicy::SpeakersOnly => v1::SpeakPolicy::SpeakersOnly,
        };
        let request = v1::CreateRoomRequest {
            room_id: name.to_owned(),
            room: Some(v1::Room {
                audio_slots: room.slots,
                speak_policy: policy.into(),
                ..v1::Room::default()
            }),
            ..v1::CreateRoomRequest::default()
        };
        self.client.rooms().create_room(request).await?;
        Ok(())
    }

    async fn close_room(&self, name: &str) -> Result<(), Refusal> {
        let request = v1::CloseRoomRequest {
            room_id: name.to_owned(),
        };
        self.client.rooms().close_room(request).await?;
        Ok(())
    }

    async fn join(&self, entrant: &Entrant<'_>, sdp: String) -> Result<Admission, Refusal> {
        let request = v1::JoinRequest {
            room_id: entrant.room.to_owned(),
            participant_id: entrant.who.to_owned(),
            sdp_offer: sdp,
            role: role_of(entrant.role).into(),
            resume_token: entrant.resume_token.unwrap_or_default().to_owned(),
            ..v1::JoinRequest::default()
        };
        let answer = self.client.rooms().join(request).await?.into_inner();
        Ok(Admission {
            answer: Some(answer.sdp_answer),
            resume_token: Some(answer.resume_token),
        })
    }

    async fn remove(&self, room: &str, who: &str) -> Result<(), Refusal> {
        let request = v1::RemoveParticipantRequest {
            room_id: room.to_owned(),
            participant_id: who.to_owned(),
            ..v1::RemoveParticipantRequest::default()
        };
        self.client.rooms().remove_participant(request).await?;
        Ok(())
    }

    async fn set_role(&self, room: &str, who: &str, role: Role) -> Result<(), Refusal> {
        let request = v1::SetRoleRequest {
            room_id: room.to_owned(),
            participant_id: who.to_owned(),
            role: role_of(role).into(),
            ..v1::SetRoleRequest::default()
        };
        self.client.rooms().set_role(request).await?;
        Ok(())
    }

    async fn set_muted(&self, room: &str, who: &str, muted: bool) -> Result<(), Refusal> {
        let request = v1::SetMutedRequest {
            room_id: room.to_owned(),
            participant_id: who.to_owned(),
            source: v1::MuteSource::Moderator.into(),
            muted,
            ..v1::SetMutedRequest::default()
        };
        self.client.rooms().set_muted(request).await?;
        Ok(())
    }

    async fn close(&self) {
        self.client.close().await;
    }
}

fn role_of(role: Role) -> v1::Role {
    match role {
        Role::Listener => v1::Role::Listener,
        Role::Speaker => v1::Role::Speaker,
        Role::Moderator => v1::Role::Moderator,
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let gone = [ErrorReason::ParticipantNotFound, ErrorReason::RoomNotFound];
        let refusal = match reason(&status) {
            Some(reason) => Self::new(reason.as_str_name(), status.message()),
            None => Self::new(status.code().to_string(), status.message()),
        };
        match (reason(&status), status.code()) {
            (Some(reason), _) if gone.contains(&reason) => refusal.gone(),
            (_, Code::Unavailable) => refusal.unreachable(),
            _ => refusal,
        }
    }
}
