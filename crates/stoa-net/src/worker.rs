//! One media worker: a thread that owns its rooms and a UDP port.
//!
//! # One turn of the loop
//!
//! In this order, each step with its bound, and after each step all that the core wants sent is sent:
//!
//! 1. **Wait** for datagrams, letters or commands, at the latest until the core's next timeout. If tenants have other
//!    quotas since then, go by them from here on.
//! 2. **Receive** from each socket, at most [`BATCHES_PER_TURN`] batches, and then what has come by TCP, at
//!    most [`TCP_PER_TURN`] datagrams. Media before all else.
//! 3. **Letters** of other workers and of the lobbies, at most [`LETTERS_PER_TURN`], and then their packets,
//!    at most [`RELAYED_PER_TURN`] of each.
//! 4. **Timers** that are due.
//! 5. **Commands**, at most [`COMMANDS_PER_TURN`](commands): the answer to a command says that what it
//!    forbids does not leave any more. So none is taken while datagrams wait for room in the kernel, and an
//!    answer is held back while packets are under way to other workers.
//! 6. **Quotas**, where tenants have any: take this worker's part anew, once in
//!    [`QUOTA_PERIOD`](stoa_core::limits::QUOTA_PERIOD).
//! 7. **Publish** figures, at most once in [`PUBLISH_INTERVAL`].

mod clock;
mod commands;
mod farewell;
mod figures;
mod held;

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token};
use stoa_core::{Endpoint, Message, Node, Output, Peer, Transmit, Transport};

use self::{clock::Clock, commands::Handled, held::HeldAnswers};
use crate::{
    doorbell::Doorbell,
    goodbyes::Goodbyes,
    lobby::Letterbox,
    mailbox::Command,
    notices::Notices,
    outbox::Outbox,
    quotas::Quotas,
    relay::{Incoming, Outgoing},
    socket::{MediaSocket, ReceiveBuffer},
    status::WorkerStatus,
    tcp::TcpLink,
};

/// Batches received from one socket in a turn: up to 4 x 32 entries, so that timers and commands wait
/// for less than a millisecond under a flood.
const BATCHES_PER_TURN: usize = 4;

/// Datagrams that came by TCP in a turn.
const TCP_PER_TURN: usize = 128;

/// Letters in a turn. The most expensive, a session that comes from its lobby, costs as much as a few dozen
/// packets.
const LETTERS_PER_TURN: usize = 32;

/// Packets of one other worker in a turn.
const RELAYED_PER_TURN: usize = 32;

/// How soon it is looked again for room in the kernel or with another worker, for answers that wait, and for quotas that
/// another thread was at.
const RETRY: Duration = Duration::from_millis(1);

/// How often figures are published, and notices that could not be told are tried again.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(1);

/// The token of the waker; sockets have their index.
pub(crate) const WAKER: Token = Token(usize::MAX);

/// What a worker's thread is given.
pub(crate) struct Equipment {
    pub(crate) node: Node,
    pub(crate) poll: Poll,
    pub(crate) sockets: Vec<MediaSocket>,
    /// To those who come by TCP, if they may.
    pub(crate) tcp: Option<TcpLink>,
    pub(crate) doorbell: Arc<Doorbell>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) letters: mpsc::Receiver<Message>,
    /// To each worker; to itself there is none.
    pub(crate) ways: Vec<Option<Outgoing>>,
    pub(crate) incoming: Vec<Incoming>,
    pub(crate) lobbies: Vec<Letterbox>,
    pub(crate) notices: Notices,
    /// What tenants may forward.
    pub(crate) quotas: Quotas,
    pub(crate) status: Arc<Mutex<WorkerStatus>>,
    /// How many seats there are.
    pub(crate) seats: Arc<AtomicUsize>,
    /// Which workers have closed all of their rooms, because all are to end.
    pub(crate) goodbyes: Goodbyes,
}

/// Everything that a worker's thread owns.
struct Worker {
    node: Node,
    poll: Poll,
    sockets: Vec<MediaSocket>,
    tcp: Option<TcpLink>,
    doorbell: Arc<Doorbell>,
    commands: mpsc::Receiver<Command>,
    letters: mpsc::Receiver<Message>,
    ways: Vec<Option<Outgoing>>,
    incoming: Vec<Incoming>,
    lobbies: Vec<Letterbox>,
    notices: Notices,
    quotas: Quotas,
    status: Arc<Mutex<WorkerStatus>>,
    seats: Arc<AtomicUsize>,
    goodbyes: Goodbyes,
    held: HeldAnswers,
    clock: Clock,
    /// One for each socket. They are made in the worker's thread and stay there.
    outboxes: Vec<Outbox>,
    /// Datagrams for an IP version that has no socket.
    without_socket: u64,
    /// Letters that a lobby had no room for.
    lobby_full: u64,
}

impl Equipment {
    /// Works until [`Command::ShutDown`] comes or nobody is left who could send it.
    ///
    /// # Errors
    /// When waiting or receiving fails for good.
    pub(crate) fn work(self) -> io::Result<()> {
        let outbox = |socket: &MediaSocket| Outbox::new(socket.address().is_ipv4());
        Worker {
            outboxes: self.sockets.iter().map(outbox).collect(),
            node: self.node,
            poll: self.poll,
            sockets: self.sockets,
            tcp: self.tcp,
            doorbell: self.doorbell,
            commands: self.commands,
            letters: self.letters,
            ways: self.ways,
            incoming: self.incoming,
            lobbies: self.lobbies,
            notices: self.notices,
            quotas: self.quotas,
            status: self.status,
            seats: self.seats,
            goodbyes: self.goodbyes,
            held: HeldAnswers::default(),
            clock: Clock::start(),
            without_socket: 0,
            lobby_full: 0,
        }
        .run()
    }
}

impl Worker {
    fn run(mut self) -> io::Result<()> {
        let mut buffer = ReceiveBuffer::for_sockets(&self.sockets);
        let mut events = Events::with_capacity(64);
        let mut published = Instant::now();
        let mut more_waits = false;
        let mut timeout = self.flush();
        // So that others see that it has begun.
        self.publish();
        loop {
            let latest = published + PUBLISH_INTERVAL;
            let dues = [timeout, self.quotas.due()].into_iter().flatten();
            let mut until = dues.fold(latest, Instant::min);
            if self.has_to_retry() {
                until = until.min(Instant::now() + RETRY);
            }
            if more_waits {
                until = Instant::now();
            }
            self.wait(&mut events, until, timeout)?;
            if self.quotas.are_old() {
                self.quotas.follow(Instant::now(), &mut self.node);
            }

            let datagrams_wait = self.receive(&mut buffer)? | self.receive_tcp();
            let letters_wait = self.take_letters();
            let relayed_wait = self.take_relayed();
            self.node.handle_timeout(Instant::now());
            self.flush();
            let Handled {
                commands_wait,
                shut_down,
                any,
            } = self.obey();
            timeout = self.flush();
            self.pass();
            // While something has to leave first, commands wait for longer than the next turn.
            let commands_wait = commands_wait && self.may_obey();
            more_waits = datagrams_wait || letters_wait || relayed_wait || commands_wait;

            let now = Instant::now();
            self.quotas.renew(now, &mut self.node);
            if any || shut_down || now >= published + PUBLISH_INTERVAL {
                self.publish();
                self.notices.settle();
                published = now;
            }
            if shut_down {
                return self.say_goodbye(&mut events);
            }
        }
    }

    /// Returns whether a socket may hold more.
    fn receive(&mut self, buffer: &mut ReceiveBuffer) -> io::Result<bool> {
        let mut more = false;
        for index in 0..self.sockets.len() {
            let mut has_more = true;
            for _ in 0..BATCHES_PER_TURN {
                let now = Instant::now();
                let node = &mut self.node;
                has_more = self.sockets[index].receive(buffer, |datagram| {
                    node.handle_datagram(now, datagram.remote, datagram.local, datagram.bytes);
                })?;
                self.flush();
                if !has_more {
                    break;
                }
            }
            // Edge-triggered: what is left now would not be reported again.
            more |= has_more;
        }
        Ok(more)
    }

    /// Returns whether there is more.
    fn receive_tcp(&mut self) -> bool {
        let Some(tcp) = &mut self.tcp else {
            return false;
        };
        if tcp.receive(&mut self.node, TCP_PER_TURN) {
            self.flush();
        }
        self.tcp.as_ref().is_some_and(TcpLink::has_more)
    }

    /// Returns whether there may be more.
    fn take_letters(&mut self) -> bool {
        let mut taken = 0;
        while taken < LETTERS_PER_TURN
            && let Ok(letter) = self.letters.try_recv()
        {
            self.node.handle_message(Instant::now(), letter);
            taken += 1;
        }
        if taken > 0 {
            self.flush();
        }
        taken == LETTERS_PER_TURN
    }

    /// Returns whether there is more.
    fn take_relayed(&mut self) -> bool {
        for index in 0..self.incoming.len() {
            let way = &mut self.incoming[index];
            if !way.has_more() {
                continue;
            }
            let now = Instant::now();
            for _ in 0..RELAYED_PER_TURN {
                let Some(packet) = way.pop() else {
                    break;
                };
                self.node.handle_relayed(now, way.from, packet);
            }
            self.flush();
        }
        self.incoming.iter().any(Incoming::has_more)
    }

    /// Tells other workers that what they have handed on is gone, unless some of it waits still.
    fn pass(&mut self) {
        if !self.is_blocked() {
            for way in &mut self.incoming {
                way.pass(self.tcp.as_mut());
            }
        }
        self.held.release(&self.ways, self.tcp.as_ref());
        self.seats.store(self.node.seats(), Ordering::Relaxed);
    }

    /// Does what the core wants done. Returns when it wants its next turn.
    fn flush(&mut self) -> Option<Instant> {
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => self.send(transmit),
                Output::Event(event) => self.notices.tell(event),
                Output::Relay { to, packet } => {
                    if let Some(way) = self.way(to.0) {
                        way.hand_on(packet);
                    }
                }
                Output::Message { to, message } => self.tell(to, message),
                Output::Timeout { at, .. } => {
                    (0..self.sockets.len()).for_each(|index| self.send_batches(index));
                    for way in self.ways.iter_mut().flatten() {
                        way.catch_up();
                        way.ring();
                    }
                    self.tcp.iter_mut().for_each(TcpLink::ring);
                    return at;
                }
            }
        }
    }

    fn way(&mut self, to: u16) -> Option<&mut Outgoing> {
        self.ways.get_mut(usize::from(to))?.as_mut()
    }

    fn tell(&mut self, to: Peer, message: Message) {
        match to {
            Peer::Worker(worker) => {
                if let Some(way) = self.way(worker.0) {
                    way.tell(message);
                }
            }
            Peer::Lobby(lobby) => {
                let letterbox = self.lobbies.get(usize::from(lobby.0));
                if !letterbox.is_some_and(|letterbox| letterbox.tell(message)) {
                    self.lobby_full += 1;
                }
            }
        }
    }

    fn send(&mut self, transmit: Transmit) {
        let Endpoint { transport, address } = transmit.destination;
        if transport == Transport::Tcp {
            if let Some(tcp) = &mut self.tcp {
                tcp.send(address, transmit.contents);
            }
            return;
        }
        let is_ipv4 = address.is_ipv4();
        let mut sockets = self.sockets.iter();
        let index = sockets.position(|socket| socket.address().is_ipv4() == is_ipv4);
        let Some(index) = index else {
            self.without_socket += 1;
            self.node.recycle(transmit.contents);
            return;
        };
        let node = &mut self.node;
        if self.outboxes[index].push(transmit, |buffer| node.recycle(buffer)) {
            self.send_batches(index);
        }
    }

    fn send_batches(&mut self, index: usize) {
        let node = &mut self.node;
        let socket = self.sockets[index].descriptor();
        self.outboxes[index].send(socket, Instant::now(), |buffer| node.recycle(buffer));
    }

    /// Whether there is something to be tried again soon.
    fn has_to_retry(&self) -> bool {
        self.is_blocked() || self.is_behind() || !self.held.is_empty() || self.quotas.are_old()
    }

    fn is_blocked(&self) -> bool {
        self.outboxes.iter().any(Outbox::is_blocked)
    }

    /// Whether another worker has no room for messages.
    fn is_behind(&self) -> bool {
        self.ways.iter().flatten().any(Outgoing::is_behind)
    }
}
