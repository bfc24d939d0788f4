//! Many peers on one thread, of this process or of an agent.
//!
//! A thread does this, over and over (`thread/house.rs`):
//!
//! 1. waits until a socket has datagrams, something is due, or there is a command;
//! 2. takes datagrams, at most [`BATCHES`] batches of each socket that has some;
//! 3. does what is due: sessions' timers, what people say, and datagrams that a bad network held up;
//! 4. obeys commands, at most [`COMMANDS`].
//!
//! It notes how late it did each thing. A thread that is late measures itself, and the report says so.

mod commands;
mod handle;
mod house;
mod seat;

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use self::handle::Command;
pub(crate) use self::{handle::Thread, seat::SeatKey};
use crate::{
    histogram::Histogram,
    network::Network,
    peer::{Invitation, Plan},
    tally::Tally,
};

/// How many threads of peers a machine may have.
pub(crate) const MOST_THREADS: usize = 256;

/// How many commands may wait for a thread, and how many it obeys before it looks at its sockets again.
const COMMANDS: usize = 64;

/// How many batches of a socket are taken before the others have their turn.
const BATCHES: usize = 16;

/// A thread of peers has ended or cannot start.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a thread of the tester has failed: {0}")]
pub(crate) struct ThreadError(pub(crate) String);

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

/// How long ago this moment of the kernel's clock was.
fn ago(at: SystemTime) -> Duration {
    SystemTime::now().duration_since(at).unwrap_or_default()
}

/// How late something is that was due at this time.
fn late(due: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(due)
}
