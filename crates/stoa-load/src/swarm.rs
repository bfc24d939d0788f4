//! Where peers are: on a thread of this process, or on one of an agent. Who lets them come and go does not care.

use std::time::SystemTime;

use tokio::sync::oneshot;

use crate::{
    agents::{AgentError, RemoteThread},
    peer::PeerError,
    thread::{Newcomer, Sample, SeatKey, Thread, ThreadError},
};

/// The peers of one thread.
pub(crate) enum Swarm {
    /// On a thread of this process.
    Here(Thread),
    /// On a thread of an agent.
    There(RemoteThread),
}

/// A thread of peers, or the agent that has it, has ended or cannot start.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SwarmError {
    #[error(transparent)]
    Thread(#[from] ThreadError),
    #[error(transparent)]
    Agent(#[from] AgentError),
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
            Self::Here(thread) => Ok(thread.open(newcomer).await?),
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
            Self::Here(thread) => Ok(thread.answer(key, answer).await?),
            Self::There(remote) => Ok(remote.answer(key, answer).await?),
        }
    }

    /// Removes somebody, with or without a word to the server.
    pub(crate) async fn close(&self, key: SeatKey, says_goodbye: bool) -> Result<(), SwarmError> {
        match self {
            Self::Here(thread) => Ok(thread.close(key, says_goodbye).await?),
            Self::There(remote) => Ok(remote.close(key, says_goodbye).await?),
        }
    }

    /// When a packet of this speaker arrives next at somebody here who is looked at closely.
    pub(crate) async fn hears(
        &self,
        speaker: u32,
    ) -> Result<oneshot::Receiver<SystemTime>, SwarmError> {
        match self {
            Self::Here(thread) => Ok(thread.hears(speaker).await?),
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
            Self::Here(thread) => Ok(thread.forbid(speaker, since).await?),
            Self::There(remote) => Ok(remote.forbid(speaker, since).await?),
        }
    }

    /// What has been counted since the last time.
    pub(crate) async fn sample(&self) -> Result<Sample, SwarmError> {
        match self {
            Self::Here(thread) => Ok(thread.sample().await?),
            Self::There(remote) => Ok(remote.sample().await?),
        }
    }

    /// Lets everybody say goodbye and ends the thread.
    pub(crate) async fn end(&self) -> Result<(), SwarmError> {
        match self {
            Self::Here(thread) => Ok(thread.end().await?),
            Self::There(remote) => Ok(remote.end().await?),
        }
    }
}
