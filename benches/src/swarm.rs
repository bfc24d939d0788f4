//! Many peers on one thread: it waits for their sockets, serves their sessions' timers, and lets those
//! who speak say something every 20 ms.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io,
    os::fd::AsRawFd as _,
    sync::{Arc, OnceLock, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, Waker, unix::SourceFd};
use nix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

use crate::peer::{Heard, Inbox, Peer, PeerError};

/// How often somebody who speaks sends a packet.
pub(crate) const FRAME: Duration = Duration::from_millis(20);

/// How many commands may wait for the thread.
const COMMANDS: usize = 64;

/// How many voices may wait for whoever wants to know of them: some minutes of a few peers.
const VOICES: usize = 1 << 20;

const WAKER: Token = Token(usize::MAX);

/// A thread of peers.
pub(crate) struct Swarm {
    commands: mpsc::SyncSender<Command>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
    /// Why it has ended, if not because it was told to.
    failure: Arc<OnceLock<String>>,
}

/// What those who listen hear, and which of them.
pub(crate) type Voices = mpsc::Receiver<(usize, Heard)>;

/// What a thread of peers has counted since it began.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// RTP packets received.
    pub(crate) received: u64,
    /// RTP packets sent.
    pub(crate) spoken: u64,
    /// Voices that nobody could be told of, because too many waited.
    pub(crate) untold: u64,
    /// Bytes in the largest of the packets received.
    pub(crate) largest: usize,
    /// What the thread has used of a processor.
    pub(crate) cpu: Duration,
}

/// The thread of peers has ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SwarmError {
    #[error("a thread of peers cannot start: {0}")]
    Start(#[from] io::Error),
    #[error("a thread of peers has failed: {0}")]
    Failed(String),
    #[error("a thread of peers has ended")]
    Ended,
}

enum Command {
    Add(Box<Peer>, oneshot::Sender<Result<(), PeerError>>),
    /// Those who are in now speak from now on, or nobody does.
    Speak(bool),
    Count(mpsc::SyncSender<Counts>),
    End,
}

impl Swarm {
    /// Starts a thread without peers.
    ///
    /// # Errors
    /// [`SwarmError::Start`].
    pub(crate) fn start(name: &str) -> Result<(Self, Voices), SwarmError> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (to, commands) = mpsc::sync_channel(COMMANDS);
        let (tell, voices) = mpsc::sync_channel(VOICES);
        let failure = Arc::new(OnceLock::new());
        let mut body = Body {
            poll,
            commands,
            voices: tell,
            seats: Vec::new(),
            timers: BinaryHeap::new(),
            speakers: Vec::new(),
            counts: Counts::default(),
        };
        let thread = std::thread::Builder::new().name(name.to_owned());
        let why = Arc::clone(&failure);
        let run = move || {
            // Said before the queue of commands ends, so that whoever notices that can look here.
            if let Err(error) = body.run() {
                why.get_or_init(|| error.to_string());
            }
        };
        let swarm = Self {
            commands: to,
            waker,
            thread: Some(thread.spawn(run)?),
            failure,
        };
        Ok((swarm, voices))
    }

    fn tell(&self, command: Command) -> Result<(), SwarmError> {
        self.commands.send(command).map_err(|_| self.ended())?;
        Ok(self.waker.wake()?)
    }

    /// Why there is no answer any more.
    pub(crate) fn ended(&self) -> SwarmError {
        let why = self.failure.get().cloned();
        why.map_or(SwarmError::Ended, SwarmError::Failed)
    }

    /// Adds somebody whose offer has been answered. What is returned completes when they are connected,
    /// or cannot be. They have the number after the one who was added before, the first one 0.
    pub(crate) fn add(
        &self,
        peer: Peer,
    ) -> Result<oneshot::Receiver<Result<(), PeerError>>, SwarmError> {
        let (connected, later) = oneshot::channel();
        self.tell(Command::Add(Box::new(peer), connected))?;
        Ok(later)
    }

    /// Lets everybody who is in now speak, or nobody.
    pub(crate) fn speak(&self, speak: bool) -> Result<(), SwarmError> {
        self.tell(Command::Speak(speak))
    }

    /// What has been counted.
    pub(crate) fn counts(&self) -> Result<Counts, SwarmError> {
        let (to, counts) = mpsc::sync_channel(1);
        self.tell(Command::Count(to))?;
        counts.recv().map_err(|_| self.ended())
    }

    /// Ends the thread and says what went wrong, if anything did.
    pub(crate) fn end(mut self) -> Result<(), SwarmError> {
        self.tell(Command::End)?;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(())) if self.failure.get().is_none() => Ok(()),
            _ => Err(self.ended()),
        }
    }
}

/// One peer's place.
struct Seat {
    peer: Peer,
    /// When the entry in the heap that counts looks at it.
    queued: Instant,
    /// Who waits for that.
    connected: Option<oneshot::Sender<Result<(), PeerError>>>,
    /// Whether the session failed before it was connected.
    is_dead: bool,
}

impl Seat {
    /// A session that fails before it is connected is the affair of who waits for it; later, of the bench.
    fn fail(&mut self, error: PeerError) -> Result<(), PeerError> {
        let Some(connected) = self.connected.take() else {
            return Err(error);
        };
        self.is_dead = true;
        // Whoever wanted to know may have given up.
        let _ = connected.send(Err(error));
        Ok(())
    }
}

/// What the thread has.
struct Body {
    poll: Poll,
    commands: mpsc::Receiver<Command>,
    voices: mpsc::SyncSender<(usize, Heard)>,
    seats: Vec<Seat>,
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    /// When each of those who speak says the next 20 ms.
    speakers: Vec<(Instant, usize)>,
    counts: Counts,
}

impl Body {
    fn run(&mut self) -> Result<(), PeerError> {
        let mut events = Events::with_capacity(1_024);
        let mut inbox = Inbox::new();
        loop {
            let due = self.timers.peek().map(|Reverse((at, _))| *at);
            let next = self.speakers.iter().map(|(at, _)| *at).chain(due).min();
            let wait = next.map(|at| at.saturating_duration_since(Instant::now()));
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                polled => polled?,
            }
            for event in &events {
                if event.token() != WAKER {
                    self.receive(event.token().0, &mut inbox)?;
                }
            }
            self.say()?;
            self.serve()?;
            loop {
                match self.commands.try_recv() {
                    Ok(Command::End) | Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
                    Ok(command) => self.obey(command)?,
                    Err(mpsc::TryRecvError::Empty) => break,
                }
            }
        }
    }

    fn receive(&mut self, number: usize, inbox: &mut Inbox) -> Result<(), PeerError> {
        let Self {
            seats,
            voices,
            counts,
            ..
        } = self;
        let seat = &mut seats[number];
        while !seat.is_dead {
            let batch = seat.peer.receive(inbox, |heard| {
                counts.untold += u64::from(voices.try_send((number, heard)).is_err());
            });
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return seat.fail(error),
            };
            counts.received += batch.packets;
            counts.largest = counts.largest.max(batch.largest);
            if !batch.more {
                break;
            }
        }
        self.settle(number);
        Ok(())
    }

    /// Looks at what has become of a peer whose session had a turn.
    fn settle(&mut self, number: usize) {
        let seat = &mut self.seats[number];
        if seat.peer.is_connected()
            && let Some(connected) = seat.connected.take()
        {
            // Whoever wanted to know may have given up.
            let _ = connected.send(Ok(()));
        }
        if seat.peer.due() < seat.queued {
            seat.queued = seat.peer.due();
            self.timers.push(Reverse((seat.queued, number)));
        }
    }

    /// Serves the sessions whose time has come.
    fn serve(&mut self) -> Result<(), PeerError> {
        let now = Instant::now();
        while let Some(&Reverse((at, number))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            let seat = &mut self.seats[number];
            if seat.queued != at || seat.is_dead {
                continue;
            }
            if seat.peer.due() <= now
                && let Err(error) = seat.peer.serve(now)
            {
                seat.fail(error)?;
                continue;
            }
            // A session that wants its turn at once has it in the next round, after the others.
            seat.queued = seat.peer.due().max(now + Duration::from_micros(1));
            self.timers.push(Reverse((seat.queued, number)));
            self.settle(number);
        }
        Ok(())
    }

    fn say(&mut self) -> Result<(), PeerError> {
        let now = Instant::now();
        for (at, number) in &mut self.speakers {
            if *at <= now {
                self.seats[*number].peer.speak(now)?;
                self.counts.spoken += 1;
                *at += FRAME;
            }
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<(), PeerError> {
        match command {
            Command::Add(mut peer, connected) => {
                let number = self.seats.len();
                let fd = peer.socket.as_raw_fd();
                let (token, interest) = (Token(number), Interest::READABLE);
                self.poll
                    .registry()
                    .register(&mut SourceFd(&fd), token, interest)?;
                peer.serve(Instant::now())?;
                let queued = peer.due();
                self.timers.push(Reverse((queued, number)));
                self.seats.push(Seat {
                    peer: *peer,
                    queued,
                    connected: Some(connected),
                    is_dead: false,
                });
            }
            Command::Speak(speak) => {
                let speakers = if speak { self.seats.len() } else { 0 };
                // Evenly over the 20 ms: people do not speak in step.
                let apart = FRAME / u32::try_from(speakers.max(1)).unwrap_or(1);
                let now = Instant::now();
                let first = |number: usize| now + apart * u32::try_from(number).unwrap_or(0);
                self.speakers = (0..speakers)
                    .map(|number| (first(number), number))
                    .collect();
            }
            Command::Count(to) => {
                let cpu = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
                self.counts.cpu = cpu.into();
                // Whoever asked may have given up.
                let _ = to.send(self.counts);
            }
            Command::End => {}
        }
        Ok(())
    }
}
