//! The peers of one thread, and its loop. What they are told is in `commands`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, VecDeque},
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use mio::{Events, Poll, Token};
use rand::{SeedableRng as _, rngs::StdRng};
use slotmap::SlotMap;
use tokio::sync::{mpsc, oneshot};

use super::{
    BATCHES, COMMANDS, Command, Sample, ago, late,
    seat::{Direction, Fate, NEVER, Seat, SeatKey},
};
use crate::{
    clock::Clock,
    mouth::FRAME,
    peer::{Incoming, PeerError},
    socket::{Datagram, Inbox, Place, Socket},
    tally::Tally,
};

pub(super) const WAKER: Token = Token(usize::MAX);

/// How many datagrams a bad network may hold up.
const MOST_DELAYED: usize = 1 << 16;

/// What is due for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Job {
    /// Its session's turn.
    Serve,
    /// To say 20 ms.
    Speak,
}

/// A datagram that a bad network holds up.
struct Delayed {
    key: SeatKey,
    direction: Direction,
    other: SocketAddr,
    bytes: Vec<u8>,
}

/// The peers of one thread.
pub(super) struct House {
    pub(super) place: Place,
    pub(super) clock: Clock,
    pub(super) sockets: Vec<Rc<Socket>>,
    /// Who is at each socket.
    pub(super) residents: Vec<Vec<Option<SeatKey>>>,
    /// Places at sockets without anybody, longest first.
    pub(super) free: VecDeque<(usize, usize)>,
    pub(super) seats: SlotMap<SeatKey, Seat>,
    pub(super) jobs: BinaryHeap<Reverse<(Instant, Job, SeatKey)>>,
    delayed: BTreeMap<(Instant, u64), Delayed>,
    delayed_ever: u64,
    pub(super) awaited: Vec<(u32, oneshot::Sender<SystemTime>)>,
    /// Who may not be heard any more, and since when.
    pub(super) forbidden: HashMap<u32, SystemTime>,
    random: StdRng,
    pub(super) sample: Sample,
    pub(super) sampled: Instant,
    pub(super) dropped_before: u64,
    pub(super) cpu_before: Duration,
}

impl House {
    pub(super) fn new(place: Place, groups: usize, seed: u64, clock: Clock) -> Self {
        Self {
            place,
            clock,
            sockets: Vec::new(),
            residents: Vec::new(),
            free: VecDeque::new(),
            seats: SlotMap::with_key(),
            jobs: BinaryHeap::new(),
            delayed: BTreeMap::new(),
            delayed_ever: 0,
            awaited: Vec::new(),
            forbidden: HashMap::new(),
            random: StdRng::seed_from_u64(seed),
            sample: Sample {
                groups: vec![Tally::default(); groups],
                ..Sample::default()
            },
            sampled: Instant::now(),
            dropped_before: 0,
            cpu_before: Duration::ZERO,
        }
    }

    /// Runs until it is told to end.
    pub(super) fn run(
        &mut self,
        mut poll: Poll,
        mut commands: mpsc::Receiver<Command>,
    ) -> io::Result<()> {
        let mut events = Events::with_capacity(1_024);
        let mut inbox = Inbox::new();
        // Sockets that had more than their turn's worth: readiness is told only once.
        let mut unread = Vec::new();
        loop {
            let wait = match unread.is_empty() {
                true => self
                    .next()
                    .map(|at| at.saturating_duration_since(Instant::now())),
                false => Some(Duration::ZERO),
            };
            match poll.poll(&mut events, wait) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                polled => polled?,
            }
            let ready = events.iter().map(|event| event.token());
            let ready = ready.filter(|token| *token != WAKER).map(|token| token.0);
            let mut ready: Vec<usize> = unread.drain(..).chain(ready).collect();
            ready.sort_unstable();
            ready.dedup();
            for number in ready {
                if self.receive(number, &mut inbox)? {
                    unread.push(number);
                }
            }
            self.do_what_is_due();
            self.let_pass();
            for _ in 0..COMMANDS {
                match commands.try_recv() {
                    Ok(Command::End) | Err(mpsc::error::TryRecvError::Disconnected) => {
                        self.close_all();
                        return Ok(());
                    }
                    Ok(command) => self.obey(command, &poll)?,
                    Err(mpsc::error::TryRecvError::Empty) => break,
                }
            }
        }
    }

    /// When something is due next.
    fn next(&self) -> Option<Instant> {
        let job = self.jobs.peek().map(|Reverse((at, ..))| *at);
        let held = self.delayed.first_key_value().map(|((at, _), _)| *at);
        job.into_iter().chain(held).min()
    }

    /// Takes what waits at a socket, its turn's worth. Returns whether there may be more.
    fn receive(&mut self, number: usize, inbox: &mut Inbox) -> io::Result<bool> {
        let socket = Rc::clone(&self.sockets[number]);
        for _ in 0..BATCHES {
            let mut oldest = None;
            let more = socket.receive(inbox, |datagram| {
                oldest.get_or_insert(datagram.arrived);
                self.take(number, &datagram);
            })?;
            if let Some(oldest) = oldest {
                self.sample.lag.add(ago(oldest));
            }
            if !more {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A datagram has come to a socket.
    fn take(&mut self, socket: usize, datagram: &Datagram<'_>) {
        let resident = self.residents[socket].get(datagram.peer).copied().flatten();
        let Some(key) = resident else {
            return;
        };
        let now = Instant::now();
        match self.seats[key].fate(Direction::ToPeer, now, &mut self.random) {
            Fate::Never => {}
            Fate::Later(after) => {
                self.delay(
                    now + after,
                    key,
                    Direction::ToPeer,
                    datagram.from,
                    datagram.bytes,
                );
            }
            Fate::Now => {
                let incoming = Incoming {
                    from: datagram.from,
                    arrived: self.clock.at(datagram.arrived),
                    bytes: datagram.bytes,
                };
                self.hand_over(key, now, &incoming);
            }
        }
    }

    fn hand_over(&mut self, key: SeatKey, now: Instant, incoming: &Incoming<'_>) {
        let seat = &mut self.seats[key];
        let tally = &mut self.sample.groups[seat.group];
        match seat.peer.receive(now, incoming, tally) {
            Ok(true) => self.settle(key, now, incoming.arrived),
            Ok(false) => {}
            Err(error) => self.fail(key, error),
        }
    }

    /// Takes what a session has to say after it had a turn, and looks at what has become of it.
    pub(super) fn settle(&mut self, key: SeatKey, now: Instant, arrived: SystemTime) {
        let mut outgoing: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
        let seat = &mut self.seats[key];
        let tally = &mut self.sample.groups[seat.group];
        let (awaited, forbidden) = (&mut self.awaited, &self.forbidden);
        let mut broken = 0;
        let polled = seat.peer.poll(
            arrived,
            tally,
            |to, bytes| outgoing.push((to, bytes.to_vec())),
            |heard| {
                for (_, told) in awaited.extract_if(.., |(who, _)| *who == heard.speaker) {
                    // Whoever wanted to know may have given up.
                    let _ = told.send(arrived);
                }
                let since = forbidden.get(&heard.speaker);
                broken += u64::from(since.is_some_and(|since| heard.written > *since));
            },
        );
        tally.forbidden += broken;
        for (to, bytes) in outgoing {
            self.send(key, now, to, &bytes);
        }
        if let Err(error) = polled {
            self.fail(key, error);
            return;
        }
        let seat = &mut self.seats[key];
        if seat.peer.is_connected {
            if let Some(connected) = seat.connected.take() {
                let _ = connected.send(Ok(()));
            }
            if !seat.has_begun {
                seat.has_begun = true;
                self.jobs.push(Reverse((now, Job::Speak, key)));
            }
        }
        if seat.peer.due < seat.queued {
            seat.queued = seat.peer.due;
            self.jobs.push(Reverse((seat.queued, Job::Serve, key)));
        }
    }

    fn send(&mut self, key: SeatKey, now: Instant, to: SocketAddr, bytes: &[u8]) {
        let seat = &mut self.seats[key];
        match seat.fate(Direction::ToServer, now, &mut self.random) {
            Fate::Never => {}
            Fate::Later(after) => self.delay(now + after, key, Direction::ToServer, to, bytes),
            Fate::Now => {
                let sent = self.sockets[seat.socket].send(seat.place, to, bytes);
                self.sample.unsent += u64::from(!sent);
            }
        }
    }

    fn delay(
        &mut self,
        until: Instant,
        key: SeatKey,
        direction: Direction,
        other: SocketAddr,
        bytes: &[u8],
    ) {
        if self.delayed.len() >= MOST_DELAYED {
            self.sample.unsent += 1;
            return;
        }
        self.delayed_ever += 1;
        let delayed = Delayed {
            key,
            direction,
            other,
            bytes: bytes.to_vec(),
        };
        self.delayed.insert((until, self.delayed_ever), delayed);
    }

    /// Lets pass what a bad network has held up for long enough.
    fn let_pass(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let delayed = entry.remove();
            let Some(seat) = self.seats.get(delayed.key) else {
                continue;
            };
            match delayed.direction {
                Direction::ToServer => {
                    let socket = &self.sockets[seat.socket];
                    let sent = socket.send(seat.place, delayed.other, &delayed.bytes);
                    self.sample.unsent += u64::from(!sent);
                }
                Direction::ToPeer => {
                    let incoming = Incoming {
                        from: delayed.other,
                        arrived: self.clock.now(),
                        bytes: &delayed.bytes,
                    };
                    self.hand_over(delayed.key, now, &incoming);
                }
            }
        }
    }

    fn do_what_is_due(&mut self) {
        let now = Instant::now();
        while let Some(&Reverse((at, job, key))) = self.jobs.peek() {
            if at > now {
                break;
            }
            self.jobs.pop();
            let Some(seat) = self.seats.get_mut(key) else {
                continue;
            };
            match job {
                Job::Serve if seat.queued != at => {}
                Job::Serve => {
                    // A session that wants its turn at once has it in the next round, after the others.
                    seat.queued = now + NEVER;
                    let served = seat.peer.serve(now);
                    self.after(key, now, served);
                    if let Some(seat) = self.seats.get_mut(key)
                        && seat.queued <= now
                    {
                        seat.queued = now + Duration::from_micros(1);
                        self.jobs.push(Reverse((seat.queued, Job::Serve, key)));
                    }
                }
                Job::Speak => {
                    self.sample.lag.add(late(at, now));
                    self.jobs.push(Reverse((at + FRAME, Job::Speak, key)));
                    let spoken = seat.peer.speak(now, self.clock.now());
                    let group = seat.group;
                    if matches!(spoken, Ok(true)) {
                        self.sample.groups[group].spoken += 1;
                    }
                    self.after(key, now, spoken.map(drop));
                }
            }
        }
    }

    pub(super) fn after(&mut self, key: SeatKey, now: Instant, turn: Result<(), PeerError>) {
        match turn {
            Ok(()) => self.settle(key, now, self.clock.now()),
            Err(error) => self.fail(key, error),
        }
    }
}
