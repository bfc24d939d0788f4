//! The server under load, by its control API.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    net::{SocketAddr, ToSocketAddrs as _},
    path::{Path, PathBuf},
    time::Duration,
};

use stoa_client::{
    Client, ClientConfig, ConnectError, Credential, TrustAnchors, reason,
    v1::{self, ErrorReason},
};
use tonic::{Code, Status};

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

/// Why there is no server to load.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{0} has no key on its first line")]
    NoKey(PathBuf),
    #[error("cannot connect to the server at {url}: {source}")]
    Connect { url: String, source: ConnectError },
    #[error("the server at {url} does not take the calls: {refusal}")]
    Refused { url: String, refusal: Refusal },
    #[error("the host of {0} has no address")]
    NoAddress(String),
}

/// What the server said instead of doing it.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: Status,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match reason(&self.status) {
            Some(reason) => write!(f, "{}: {}", reason.as_str_name(), self.status.message()),
            None => write!(f, "{}: {}", self.status.code(), self.status.message()),
        }
    }
}

impl Refusal {
    /// What it is counted as.
    pub(crate) fn name(&self) -> String {
        match reason(&self.status) {
            Some(reason) => reason.as_str_name().to_owned(),
            None => self.status.code().to_string(),
        }
    }

    /// Its canonical code.
    pub(crate) fn code(&self) -> Code {
        self.status.code()
    }

    /// Whether the one it is about was gone already.
    pub(crate) fn is_gone(&self) -> bool {
        let gone = [ErrorReason::ParticipantNotFound, ErrorReason::RoomNotFound];
        reason(&self.status).is_some_and(|reason| gone.contains(&reason))
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self { status }
    }
}

/// What somebody is let in with.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) answer: String,
    /// What they come back with.
    pub(crate) resume_token: String,
}

/// How the server stands, by its own word.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    pub(crate) version: String,
    /// What it has done with datagrams, where the caller may know.
    pub(crate) datagrams: Option<Datagrams>,
}

/// Datagrams since the server began.
#[derive(Debug, Clone, Default)]
pub(crate) struct Datagrams {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) dropped: BTreeMap<String, u64>,
}

/// A server.
#[derive(Clone)]
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
        let key = String::from_utf8(read(&address.api_key_file)?).unwrap_or_default();
        let key = key.lines().next().unwrap_or_default().trim().to_owned();
        if key.is_empty() {
            return Err(TargetError::NoKey(address.api_key_file.clone()));
        }
        let mut config = ClientConfig::new(&url, TrustAnchors::Pem(ca), Credential::ApiKey(key));
        config.server_name.clone_from(&address.server_name);
        config.timeouts.call = CALL;
        let client = Client::connect(config).await;
        let client = client.map_err(|source| TargetError::Connect {
            url: url.clone(),
            source,
        })?;
        let stoa = Self {
            address: resolve(&url)?,
            client,
            url: url.clone(),
        };
        let standing = stoa.standing().await;
        standing.map_err(|refusal| TargetError::Refused { url, refusal })?;
        Ok(stoa)
    }

    /// Where its control API is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, as it was named.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How it stands.
    pub(crate) async fn standing(&self) -> Result<Standing, Refusal> {
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

    /// Makes a room.
    pub(crate) async fn open_room(&self, name: &str, room: &Room) -> Result<(), Refusal> {
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

    /// Ends a room and everybody's session in it.
    pub(crate) async fn close_room(&self, name: &str) -> Result<(), Refusal> {
        let request = v1::CloseRoomRequest {
            room_id: name.to_owned(),
        };
        self.client.rooms().close_room(request).await?;
        Ok(())
    }

    /// Lets somebody in, or back in.
    pub(crate) async fn join(
        &self,
        room: &str,
        who: &str,
        role: Role,
        offer: String,
        resume_token: Option<String>,
    ) -> Result<Admission, Refusal> {
        let request = v1::JoinRequest {
            room_id: room.to_owned(),
            participant_id: who.to_owned(),
            sdp_offer: offer,
            role: role_of(role).into(),
            resume_token: resume_token.unwrap_or_default(),
            ..v1::JoinRequest::default()
        };
        let answer = self.client.rooms().join(request).await?.into_inner();
        Ok(Admission {
            answer: answer.sdp_answer,
            resume_token: answer.resume_token,
        })
    }

    /// Removes somebody.
    pub(crate) async fn remove(&self, room: &str, who: &str) -> Result<(), Refusal> {
        let request = v1::RemoveParticipantRequest {
            room_id: room.to_owned(),
            participant_id: who.to_owned(),
            ..v1::RemoveParticipantRequest::default()
        };
        self.client.rooms().remove_participant(request).await?;
        Ok(())
    }

    /// Gives somebody a role.
    pub(crate) async fn set_role(&self, room: &str, who: &str, role: Role) -> Result<(), Refusal> {
        let request = v1::SetRoleRequest {
            room_id: room.to_owned(),
            participant_id: who.to_owned(),
            role: role_of(role).into(),
            ..v1::SetRoleRequest::default()
        };
        self.client.rooms().set_role(request).await?;
        Ok(())
    }

    /// Mutes somebody as a moderator does, or takes that back.
    pub(crate) async fn set_muted(
        &self,
        room: &str,
        who: &str,
        muted: bool,
    ) -> Result<(), Refusal> {
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

    /// Ends the connection.
    pub(crate) async fn close(&self) {
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

fn read(path: &Path) -> Result<Vec<u8>, TargetError> {
    fs::read(path).map_err(|source| TargetError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The host's address, the one of IPv4 if there are both: loopback has many of those.
fn resolve(url: &str) -> Result<SocketAddr, TargetError> {
    let no_address = || TargetError::NoAddress(url.to_owned());
    let host = url
        .strip_prefix("https://")
        .unwrap_or(url)
        .trim_end_matches('/');
    let found = host.to_socket_addrs().map_err(|_| no_address())?;
    let found: Vec<SocketAddr> = found.collect();
    let first = found
        .iter()
        .find(|address| address.is_ipv4())
        .or(found.first());
    first.copied().ok_or_else(no_address)
}
