//! What a coordinator and an agent say to each other. Each question has a stream of QUIC of its own, on which
//! the answer comes back; both are JSON behind its length.

use std::{net::SocketAddr, time::SystemTime};

use quinn::{RecvStream, SendStream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{report::Machine, thread::Newcomer};

/// The longest question: an SDP answer of a server, with all of its candidates.
pub(super) const QUESTION_BYTES: usize = 256 << 10;

/// The longest answer: what a thread has counted, of 16 groups with four full histograms each.
pub(super) const ANSWER_BYTES: usize = 4 << 20;

/// The first question: starts the agent's threads, for so many groups of peers of a server whose control API is
/// there. The answer is [`Ready`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begin {
    pub(super) groups: usize,
    pub(super) seed: u64,
    pub(super) server: SocketAddr,
}

/// Any other question. What is answered stands beside each; where the agent cannot, it says why.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Question {
    /// What the agent's clock shows, which is so many nanoseconds ahead of the coordinator's, as far as is known
    /// by now: [`Times`].
    Clock { ahead: i64 },
    /// A peer's key and its offer: `(u64, String)`.
    Open {
        thread: usize,
        newcomer: Box<Newcomer>,
    },
    /// When it is connected, or cannot be: `Result<(), PeerError>`.
    Answer {
        thread: usize,
        key: u64,
        answer: Option<String>,
    },
    /// `()`.
    Close {
        thread: usize,
        key: u64,
        says_goodbye: bool,
    },
    /// `()` when the agent has begun to listen, and when a packet of this speaker comes, the time: `SystemTime`.
    Hears { thread: usize, speaker: u32 },
    /// `()`.
    Forbid {
        thread: usize,
        speaker: u32,
        since: Option<SystemTime>,
    },
    /// What was counted since the last time: `Sample`.
    Sample { thread: usize },
    /// `()` when all peers of the thread are gone.
    End { thread: usize },
}

/// The agent is ready.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) threads: usize,
    pub(super) machine: Machine,
}

/// When the question came and when it was answered, by the agent's own clock, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Times {
    pub(super) received: i64,
    pub(super) answered: i64,
}

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<T, String>;

/// A message did not get through.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error(transparent)]
    Connection(#[from] quinn::ConnectionError),
    #[error(transparent)]
    Write(#[from] quinn::WriteError),
    #[error(transparent)]
    Read(#[from] quinn::ReadExactError),
    #[error("a message of {bytes} bytes, more than {most}")]
    TooLong { bytes: usize, most: usize },
    #[error("a message cannot be understood: {0}")]
    Json(#[from] serde_json::Error),
}

pub(super) async fn send<T: Serialize>(to: &mut SendStream, message: &T) -> Result<(), WireError> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    to.write_all(&length.to_be_bytes()).await?;
    to.write_all(&text).await?;
    Ok(())
}

pub(super) async fn receive<T: DeserializeOwned>(
    from: &mut RecvStream,
    most: usize,
) -> Result<T, WireError> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let bytes = u32::from_be_bytes(length) as usize;
    if bytes > most {
        return Err(WireError::TooLong { bytes, most });
    }
    let mut text = vec![0; bytes];
    from.read_exact(&mut text).await?;
    Ok(serde_json::from_slice(&text)?)
}
