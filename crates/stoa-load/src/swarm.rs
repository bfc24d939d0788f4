//! Many peers on one thread.
//!
//! The thread does this, over and over (`swarm/house.rs`):
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

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};

use mio::Waker;
use tokio::sync::{mpsc, oneshot};

use self::house::House;
pub(crate) use self::seat::SeatKey;
use crate::{
    histogram::Histogram,
    network::Network,
    peer::{Invitation, PeerError, Plan},
    socket::Place,
    tally::Tally,
};

/// How many commands may wait for a thread, and how many it obeys before it looks at its sockets again.
const COMMANDS: usize = 64;

/// How many batches of a socket are taken before the others have their turn.
const BATCHES: usize = 16;

/// A thread of peers.
pub(crate) struct Swarm {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
    thread: Mutex<Option<JoinHandle<()>>>,
    failure: Arc<OnceLock<String>>,
}

/// A thread of peers has ended, or cannot start.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a thread of the tester has failed: {0}")]
pub(crate) struct SwarmError(String);

impl SwarmError {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

/// Somebody to be made.
pub(crate) struct Newcomer {
    pub(crate) plan: Plan,
    /// The server's offer, where it is the server that offers.
    pub(crate) invitation: Option<Invitation>,
    /// Of which group, by its number.
    pub(crate) group: usize,
    pub(crate) network: Option<Network>,
}

/// What a thread has counted since it was asked before.
#[derive(Debug, Default)]
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

pub(crate) enum Command {
    Open(
        Box<Newcomer>,
        oneshot::Sender<Result<(SeatKey, String), String>>,
    ),
    Answer {
        key: SeatKey,
        answer: Option<String>,
        connected: oneshot::Sender<Result<(), PeerError>>,
    },
    Close {
        key: SeatKey,
        says_goodbye: bool,
    },
    Await(u32, oneshot::Sender<SystemTime>),
    Forbid(u32, Option<SystemTime>),
    Sample(oneshot::Sender<Sample>),
    End,
}

impl Swarm {
    /// Starts a thread without peers, for so many groups of them.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn start(number: usize, place: Place, groups: usize, seed: u64) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), house::WAKER)?);
        let (to, commands) = mpsc::channel(COMMANDS);
        let failure = Arc::new(OnceLock::new());
        let why = Arc::clone(&failure);
        let run = move || {
            // Said before the queue of commands ends, so that whoever notices that can look here.
            if let Err(error) = House::new(place, groups, seed).run(poll, commands) {
                why.get_or_init(|| error.to_string());
            }
        };
        let thread = std::thread::Builder::new().name(format!("peers-{number}"));
        Ok(Self {
            commands: to,
            waker,
            thread: Mutex::new(Some(thread.spawn(run)?)),
            failure,
        })
    }

    fn ended(&self) -> SwarmError {
        let why = self.failure.get().cloned();
        SwarmError(why.unwrap_or_else(|| "it has ended".to_owned()))
    }

    async fn tell(&self, command: Command) -> Result<(), SwarmError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| self.ended())?;
        self.waker
            .wake()
            .map_err(|error| SwarmError(error.to_string()))
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, SwarmError> {
        let (to, answer) = oneshot::channel();
        self.tell(command(to)).await?;
        answer.await.map_err(|_| self.ended())
    }

    /// Makes somebody. Returns their key and their offer, or their answer to the server's.
    pub(crate) async fn open(&self, newcomer: Newcomer) -> Result<(SeatKey, String), SwarmError> {
        let opened = self.ask(|to| Command::Open(Box::new(newcomer), to)).await?;
        opened.map_err(SwarmError)
    }

    /// Gives somebody the server's answer, where there is one, and returns when they are connected, or cannot be.
    pub(crate) async fn answer(
        &self,
        key: SeatKey,
        answer: Option<String>,
    ) -> Result<Result<(), PeerError>, SwarmError> {
        let command = |connected| Command::Answer {
            key,
            answer,
            connected,
        };
        self.ask(command).await
    }

    /// Removes somebody, with or without a word to the server.
    pub(crate) async fn close(&self, key: SeatKey, says_goodbye: bool) -> Result<(), SwarmError> {
        self.tell(Command::Close { key, says_goodbye }).await
    }

    /// When a packet of this speaker arrives next at somebody here who is looked at closely.
    pub(crate) async fn hears(
        &self,
        speaker: u32,
    ) -> Result<oneshot::Receiver<SystemTime>, SwarmError> {
        let (to, heard) = oneshot::channel();
        self.tell(Command::Await(speaker, to)).await?;
        Ok(heard)
    }

    /// From when on this speaker may not be heard any more; `None`: they may again.
    pub(crate) async fn forbid(
        &self,
        speaker: u32,
        since: Option<SystemTime>,
    ) -> Result<(), SwarmError> {
        self.tell(Command::Forbid(speaker, since)).await
    }

    /// What has been counted since the last time.
    pub(crate) async fn sample(&self) -> Result<Sample, SwarmError> {
        self.ask(Command::Sample).await
    }

    /// Lets everybody say goodbye and ends the thread.
    pub(crate) async fn end(&self) -> Result<(), SwarmError> {
        // Where it has ended already, joining it tells why.
        let _ = self.tell(Command::End).await;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let joined = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
        match (joined, self.failure.get()) {
            (Ok(Some(Ok(()))), None) => Ok(()),
            _ => Err(self.ended()),
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
