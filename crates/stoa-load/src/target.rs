//! The servers that can be loaded: what each has to be able to do, and what it may not be able to.
//!
//! Another server is one more file in `target/` with a [`Target`] in it, and an option in `arguments.rs` that
//! names it. docs/load-testing.md says how.

mod abilities;
pub(crate) mod janus;
mod refusal;
pub(crate) mod stoa;
pub(crate) mod whip;

use std::{
    collections::BTreeMap,
    fs, io,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use stoa_secret::SecretFileError;

pub(crate) use self::{
    abilities::{Abilities, Unfit},
    refusal::Refusal,
};
use crate::scenario::{Role, Room};

/// Why there is no server to load.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    #[error("cannot connect to the server at {url}: {reason}")]
    Connect { url: String, reason: String },
    #[error("the server at {url} does not take the calls: {refusal}")]
    Refused { url: String, refusal: Refusal },
    #[error("cannot use the token key in {path}: {reason}")]
    TokenKey { path: PathBuf, reason: String },
    #[error("the host of {0} has no address")]
    NoAddress(String),
}

/// Somebody who is to come in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entrant<'a> {
    pub(crate) room: &'a str,
    pub(crate) who: &'a str,
    pub(crate) role: Role,
    /// What they come back with, if they were cut off.
    pub(crate) resume_token: Option<&'a str>,
}

/// What somebody is let in with.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// The server's answer; none where it was the server that offered.
    pub(crate) answer: Option<String>,
    /// What they come back with, where one can.
    pub(crate) resume_token: Option<String>,
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

/// A server under load. Each call has a bound of its own, and all may be made at once.
#[async_trait]
pub(crate) trait Target: Send + Sync {
    /// Where it is, as it was named.
    fn url(&self) -> &str;

    /// An address of it: peers are where the way to it begins.
    fn address(&self) -> SocketAddr;

    /// What can be played with it.
    fn abilities(&self) -> Abilities;

    /// How it stands. It is asked once a second.
    async fn standing(&self) -> Result<Standing, Refusal>;

    /// Makes a room.
    async fn open_room(&self, room: &str, settings: &Room) -> Result<(), Refusal>;

    /// Ends a room and everybody's session in it.
    async fn close_room(&self, room: &str) -> Result<(), Refusal>;

    /// The server's offer to somebody, where it is the server that offers.
    async fn invite(&self, _entrant: &Entrant<'_>) -> Result<Option<String>, Refusal> {
        Ok(None)
    }

    /// Lets somebody in, or back in, with their offer; or with their answer, if they were invited.
    async fn join(&self, entrant: &Entrant<'_>, sdp: String) -> Result<Admission, Refusal>;

    /// Removes somebody.
    async fn remove(&self, room: &str, who: &str) -> Result<(), Refusal>;

    /// Gives somebody a role. Asked only of servers with [`Abilities::moderates`].
    async fn set_role(&self, _room: &str, _who: &str, _role: Role) -> Result<(), Refusal> {
        Err(Refusal::unable("change a role"))
    }

    /// Mutes somebody as a moderator does, or takes that back. Asked only of servers with
    /// [`Abilities::moderates`].
    async fn set_muted(&self, _room: &str, _who: &str, _muted: bool) -> Result<(), Refusal> {
        Err(Refusal::unable("mute"))
    }

    /// Ends the connection.
    async fn close(&self);
}

/// An address of a host with its port, the one of IPv4 if there are both: loopback has many of those.
fn resolve(host: impl ToSocketAddrs, url: &str) -> Result<SocketAddr, TargetError> {
    let no_address = || TargetError::NoAddress(url.to_owned());
    let found = host.to_socket_addrs().map_err(|_| no_address())?;
    let found: Vec<SocketAddr> = found.collect();
    let first = found
        .iter()
        .find(|address| address.is_ipv4())
        .or(found.first());
    first.copied().ok_or_else(no_address)
}

/// What is in this file.
///
/// # Errors
/// [`TargetError::Read`].
fn read(path: &Path) -> Result<Vec<u8>, TargetError> {
    fs::read(path).map_err(|source| TargetError::Read {
        path: path.to_owned(),
        source,
    })
}
