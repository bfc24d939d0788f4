//! The lobby threads: they answer offers and shake hands, so that workers only forward.
//!
//! # One turn of the loop
//!
//! 1. **Letters** of the workers, all that are there: whoever shakes hands already is let through first.
//! 2. **Timers** that are due.
//! 3. **One join**, the oldest. Those that wait are bounded ([`JOINS_CAPACITY`]), and so are the sessions
//!    that are set up ([`SESSIONS_CAPACITY`]); beyond that a join is refused by name.
//!
//! What a session wants sent goes to the worker of its seat. The lobby waits for room there if it has to:
//! nobody's voice is kept waiting by that.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::{JoinHandle, Thread},
    time::{Duration, Instant},
};

use stoa_core::{Join, Joined, Lobby, LobbyOutput, LobbyStats, Message, WorkerId};

use crate::{
    doorbell::Doorbell,
    error::MediaError,
    mailbox::{Command, Mailbox, Reply, Returned},
    part::{self, Failure, Part},
    status::QueueDepth,
};

/// How many joins may wait for a lobby. At 2 to 4 ms for each this is a few seconds: who comes later is
/// better off elsewhere.
pub(crate) const JOINS_CAPACITY: usize = 1_024;

/// How many sessions are set up at a time. Each takes about 100 KiB, and a slow phone some seconds.
pub(crate) const SESSIONS_CAPACITY: usize = 2_048;

/// How many letters of workers may wait for a lobby. What comes later is dropped; clients say it again.
const LETTERS_CAPACITY: usize = 4_096;

/// How much longer than a node the lobby waits for a session.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// How much the lobbies stand back where the processors are too few for all: a join may take longer, a
/// packet may not.
const NICENESS: i32 = 10;

/// Somebody asks to be let in.
pub(crate) struct Request {
    pub(crate) join: Box<Join>,
    /// Where their datagrams will come.
    pub(crate) seat: WorkerId,
    /// Where their room is at home.
    pub(crate) home: Mailbox,
    pub(crate) reply: Reply<Result<Joined, MediaError>>,
}

/// How the control plane reaches a lobby.
#[derive(Clone)]
pub(crate) struct LobbyHandle {
    joins: SyncSender<Request>,
    /// How many of them wait.
    waiting: Arc<AtomicUsize>,
    thread: Thread,
    stats: Arc<Mutex<LobbyStats>>,
}

/// How workers reach a lobby. It ends when nobody has one any more.
#[derive(Clone)]
pub(crate) struct Letterbox {
    letters: SyncSender<Message>,
    thread: Thread,
}

impl LobbyHandle {
    /// Hands in a request.
    ///
    /// # Errors
    /// [`MediaError::Overloaded`], [`MediaError::Stopped`].
    pub(crate) fn ask(&self, request: Request) -> Result<(), MediaError> {
        // Before, so that it is never taken out first.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.joins.try_send(request).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => MediaError::Overloaded,
                TrySendError::Disconnected(_) => MediaError::Stopped,
            }
        })?;
        self.thread.unpark();
        Ok(())
    }

    /// What waits in the lobby: joins, and sessions that are being set up.
    pub(crate) fn depths(&self) -> [QueueDepth; 2] {
        let joins = QueueDepth {
            waiting: self.waiting.load(Ordering::Relaxed),
            capacity: JOINS_CAPACITY,
        };
        let sessions = QueueDepth {
            waiting: self.stats().sessions,
            capacity: SESSIONS_CAPACITY,
        };
        [joins, sessions]
    }

    /// What the lobby has counted, as of its last turn.
    pub(crate) fn stats(&self) -> LobbyStats {
        *self.stats.lock().unwrap_or_else(|error| error.into_inner())
    }
}

impl Letterbox {
    /// Hands a letter in. Returns whether there was room.
    pub(crate) fn tell(&self, message: Message) -> bool {
        let is_taken = self.letters.try_send(message).is_ok();
        self.thread.unpark();
        is_taken
    }
}

/// How a lobby reaches a worker.
pub(crate) struct Seats {
    pub(crate) letters: SyncSender<Message>,
    pub(crate) doorbell: Arc<Doorbell>,
}

/// Everything that a lobby's thread owns.
struct Porter {
    lobby: Lobby,
    joins: Receiver<Request>,
    waiting: Arc<AtomicUsize>,
    letters: Receiver<Message>,
    seats: Vec<Seats>,
    stats: Arc<Mutex<LobbyStats>>,
}

/// Starts a lobby's thread; of its end before its time, this one is told.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(
    (part, failure): (Part, &Failure),
    lobby: Lobby,
    seats: Vec<Seats>,
) -> io::Result<(LobbyHandle, Letterbox, JoinHandle<()>)> {
    let (ask, joins) = mpsc::sync_channel(JOINS_CAPACITY);
    let (tell, letters) = mpsc::sync_channel(LETTERS_CAPACITY);
    let stats = Arc::new(Mutex::new(LobbyStats::default()));
    let waiting = Arc::new(AtomicUsize::new(0));
    let porter = Porter {
        lobby,
        joins,
        waiting: Arc::clone(&waiting),
        letters,
        seats,
        stats: Arc::clone(&stats),
    };
    let thread = part::start(part, failure, || {
        porter.work();
        Ok(())
    })?;
    let handle = LobbyHandle {
        joins: ask,
        waiting,
        thread: thread.thread().clone(),
        stats,
    };
    let letterbox = Letterbox {
        letters: tell,
        thread: thread.thread().clone(),
    };
    Ok((handle, letterbox, thread))
}

impl Porter {
    fn work(mut self) {
        // Of this thread alone: for Linux a thread is what it schedules.
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::warn!(%error, "the lobby cannot stand back behind the media workers");
        }
        while !self.take_letters() {
            self.lobby.handle_timeout(Instant::now());
            let asked = match self.joins.try_recv() {
                Ok(request) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    self.prepare(request);
                    true
                }
                Err(_) => false,
            };
            let timeout = self.flush();
            self.publish();
            if !asked {
                Self::rest(timeout);
            }
        }
    }

    /// Waits until something comes or is due. What came since it was looked for wakes at once.
    fn rest(until: Option<Instant>) {
        match until {
            Some(at) => {
                std::thread::park_timeout(at.saturating_duration_since(Instant::now()));
            }
            None => std::thread::park(),
        }
    }

    /// Returns whether no worker is left that could send one.
    fn take_letters(&mut self) -> bool {
        // No more than there can be at a time, so that joins have their turn.
        for _ in 0..LETTERS_CAPACITY {
            match self.letters.try_recv() {
                Ok(message) => {
                    self.lobby.handle_message(Instant::now(), message);
                    self.flush();
                }
                Err(mpsc::TryRecvError::Empty) => return false,
                Err(mpsc::TryRecvError::Disconnected) => return true,
            }
        }
        false
    }

    fn prepare(&mut self, request: Request) {
        let Request {
            join,
            seat,
            home,
            reply,
        } = request;
        // Nobody waits for the answer any more, so nobody would ever use it.
        if reply.is_closed() {
            return;
        }
        let prepared = match self.lobby.prepare(Instant::now(), &join, seat) {
            Ok(prepared) => prepared,
            Err(error) => return drop(reply.send(Err(error.into()))),
        };
        let command = Command::Admit {
            join,
            prepared,
            reply,
        };
        if let Err(returned) = home.post(command)
            && let Returned {
                command: Command::Admit {
                    prepared, reply, ..
                },
                error,
            } = *returned
        {
            self.lobby.turn_away(prepared);
            drop(reply.send(Err(error)));
        }
    }

    fn flush(&mut self) -> Option<Instant> {
        loop {
            match self.lobby.poll_output() {
                LobbyOutput::Message { to, message } => {
                    if let Some(seats) = self.seats.get(usize::from(to.0)) {
                        // A worker that is gone misses nothing.
                        drop(seats.letters.send(message));
                        seats.doorbell.ring();
                    }
                }
                LobbyOutput::Timeout(at) => return at,
            }
        }
    }

    fn publish(&self) {
        // Never wait for a reader: the next turn publishes newer figures anyway.
        if let Ok(mut stats) = self.stats.try_lock() {
            *stats = self.lobby.stats();
        }
    }
}
