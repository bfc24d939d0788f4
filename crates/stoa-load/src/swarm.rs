//! Many peers on one thread, of this process or of an agent.
//!
//! A thread does this, over and over (`swarm/house.rs`):
//!
//! 1. waits until a socket has datagrams, something is due, or there is a command;
//! 2. takes datagrams, at most [`BATCHES`] batches of each socket that has some;
//! 3. does what is due: sessions' timers, what people say, and datagrams that a bad network held up;
//! 4. obeys commands, at most [`COMMANDS`].
//!
//! It notes how late it did each thing. A thread that is late measures itself, and the report says so.

mod commands;
mod house;
mod seat;
mod thread;

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use self::thread::Command;
pub(crate) use self::{seat::SeatKey, thread::Thread};
use crate::{
    agents::{AgentError, RemoteThread},
    histogram::Histogram,
    network::Network,
    peer::{Invitation, PeerError, Plan},
    tally::Tally,
};

/// How many commands may wait for a thread, and how many it obeys before it looks at its sockets again.
const COMMANDS: usize = 64;

/// How many batches of a socket are taken before the others have their turn.
const BATCHES: usize = 16;

/// Where peers are; who lets them come and go does not care.
pub(crate) enum Swarm {
    /// On a thread of this process.
    Here(Thread),
    /// On a thread of an agent.
    There(RemoteThread),
}

/// A thread of peers, or the agent that has it, has ended or cannot start.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SwarmError {
    #[error("a thread of the tester has failed: {0}")]
    Thread(String),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// Somebody to be made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Newcomer {
    pub(crate) plan: Plan,
    /// The server's offer, where it is the server that offers.
    pub(crate) invitation: Option<Invitation>,
    /// Of which group, by its number.
    pub(crate) group: usize,
    pub(crate) network: Option<Network>,
}

/// What a thread has counted since it was asked before.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Of each group.
    pub(crate) groups: Vec<Tally>,
    /// How late it did what it had to do.
    pub(crate) lag: Histogram,
    /// What it has used of a processor.
    pub(crate) cpu: Duration,
    /// Datagrams that the kernel dropped because the thread did not read in time.
    pub(crate) dropped: u64,
    /// Datagrams of peers that the kernel did not take.
    pub(crate) unsent: u64,
}

impl Swarm {
    /// The agent that has it, if it is not here.
    pub(crate) fn agent(&self) -> Option<&str> {
        match self {
            Self::Here(_) => None,
            Self::There(remote) => Some(remote.agent()),
        }
    }

    /// Makes somebody. Returns their key and their offer, or their answer to the server's.
    pub(crate) async fn open(&self, newcomer: Newcomer) -> Result<(SeatKey, String), SwarmError> {
        match self {
            Self::Here(thread) => thread.open(newcomer).await,
            Self::There(remote) => Ok(remote.open(newcomer).await?),
        }
    }

    /// Gives somebody the server's answer, where there is one, and returns when they are connected, or cannot be.
    pub(crate) async fn answer(
        &self,
        key: SeatKey,
        answer: Option<String>,
    ) -> Result<Result<(), PeerError>, SwarmError> {
        match self {
            Self::Here(thread) => thread.answer(key, answer).await,
            Self::There(remote) => Ok(remote.answer(key, answer).await?),
        }
    }

    /// Removes somebody, with or without a word to the server.
    pub(crate) async fn close(&self, key: SeatKey, says_goodbye: bool) -> Result<(), SwarmError> {
        match self {
            Self::Here(thread) => thread.close(key, says_goodbye).await,
            Self::There(remote) => Ok(remote.close(key, says_goodbye).await?),
        }
    }

    /// When a packet of this speaker arrives next at somebody here who is looked at closely.
    pub(crate) async fn hears(
        &self,
        speaker: u32,
    ) -> Result<oneshot::Receiver<SystemTime>, SwarmError> {
        match self {
            Self::Here(thread) => thread.hears(speaker).await,
            Self::There(remote) => Ok(remote.hears(speaker).await?),
        }
    }

    /// From when on this speaker may not be heard any more; `None`: they may again.
    pub(crate) async fn forbid(
        &self,
        speaker: u32,
        since: Option<SystemTime>,
    ) -> Result<(), SwarmError> {
        match self {
            Self::Here(thread) => thread.forbid(speaker, since).await,
            Self::There(remote) => Ok(remote.forbid(speaker, since).await?),
        }
    }

    /// What has been counted since the last time.
    pub(crate) async fn sample(&self) -> Result<Sample, SwarmError> {
        match self {
            Self::Here(thread) => thread.sample().await,
            Self::There(remote) => Ok(remote.sample().await?),
        }
    }

    /// Lets everybody say goodbye and ends the thread.
    pub(crate) async fn end(&self) -> Result<(), SwarmError> {
        match self {
            Self::Here(thread) => thread.end().await,
            Self::There(remote) => Ok(remote.end().await?),
        }
    }
}

/// How long ago this moment of the kernel's clock was.
fn ago(at: SystemTime) -> Duration {
    SystemTime::now().duration_since(at).unwrap_or_default()
}

/// How late something is that was due at this time.
fn late(due: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(due)
}
