//! A thread of peers in this process, and how it is told what to do.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread::JoinHandle,
    time::SystemTime,
};

use mio::Waker;
use tokio::sync::{mpsc, oneshot};

use super::{
    COMMANDS, Newcomer, Sample, SeatKey, ThreadError,
    house::{self, House},
};
use crate::{clock::Clock, peer::PeerError, socket::Place};

/// A thread of peers.
pub(crate) struct Thread {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
    thread: Mutex<Option<JoinHandle<()>>>,
    failure: Arc<OnceLock<String>>,
}

/// What a thread is told.
pub(super) enum Command {
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
        closed: oneshot::Sender<()>,
    },
    Await(u32, oneshot::Sender<SystemTime>),
    Forbid(u32, Option<SystemTime>),
    Sample(oneshot::Sender<Sample>),
    End,
}

impl Thread {
    /// Starts a thread without peers, for so many groups of them, who tell the time by this clock.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn start(
        number: usize,
        place: Place,
        groups: usize,
        seed: u64,
        clock: Clock,
    ) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), house::WAKER)?);
        let (to, commands) = mpsc::channel(COMMANDS);
        let failure = Arc::new(OnceLock::new());
        let why = Arc::clone(&failure);
        let run = move || {
            let mut house = House::new(place, groups, seed ^ number as u64, clock);
            // Said before the queue of commands ends, so that whoever notices that can look here.
            if let Err(error) = house.run(poll, commands) {
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

    fn ended(&self) -> ThreadError {
        let why = self.failure.get().cloned();
        ThreadError(why.unwrap_or_else(|| "it has ended".to_owned()))
    }

    async fn tell(&self, command: Command) -> Result<(), ThreadError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| self.ended())?;
        self.waker
            .wake()
            .map_err(|error| ThreadError(error.to_string()))
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, ThreadError> {
        let (to, answer) = oneshot::channel();
        self.tell(command(to)).await?;
        answer.await.map_err(|_| self.ended())
    }

    /// Makes somebody. Returns their key and their offer.
    pub(crate) async fn open(&self, newcomer: Newcomer) -> Result<(SeatKey, String), ThreadError> {
        let opened = self.ask(|to| Command::Open(Box::new(newcomer), to)).await?;
        opened.map_err(ThreadError)
    }

    /// Gives somebody the server's answer, and returns when they are connected, or cannot be.
    pub(crate) async fn answer(
        &self,
        key: SeatKey,
        answer: Option<String>,
    ) -> Result<Result<(), PeerError>, ThreadError> {
        let command = |connected| Command::Answer {
            key,
            answer,
            connected,
        };
        self.ask(command).await
    }

    /// Removes somebody, with or without a word to the server. They are gone when it returns: what the server does about
    /// them from then on is not taken for something that it did to one who was in.
    pub(crate) async fn close(&self, key: SeatKey, says_goodbye: bool) -> Result<(), ThreadError> {
        let command = |closed| Command::Close {
            key,
            says_goodbye,
            closed,
        };
        self.ask(command).await
    }

    /// When a packet of this speaker arrives next at somebody here who is looked at closely.
    pub(crate) async fn hears(
        &self,
        speaker: u32,
    ) -> Result<oneshot::Receiver<SystemTime>, ThreadError> {
        let (to, heard) = oneshot::channel();
        self.tell(Command::Await(speaker, to)).await?;
        Ok(heard)
    }

    /// From when on this speaker may not be heard any more; `None`: they may again.
    pub(crate) async fn forbid(
        &self,
        speaker: u32,
        since: Option<SystemTime>,
    ) -> Result<(), ThreadError> {
        self.tell(Command::Forbid(speaker, since)).await
    }

    /// What has been counted since the last time.
    pub(crate) async fn sample(&self) -> Result<Sample, ThreadError> {
        self.ask(Command::Sample).await
    }

    /// Lets everybody say goodbye and ends the thread.
    pub(crate) async fn end(&self) -> Result<(), ThreadError> {
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
