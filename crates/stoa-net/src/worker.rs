//! One media worker: a thread that owns its rooms and a UDP port.
//!
//! # One turn of the loop
//!
//! In this order, each step with its bound, and after each step all that the core wants sent is sent:
//!
//! 1. **Wait** for datagrams or commands, at the latest until the core's next timeout.
//! 2. **Receive** from each socket, at most [`BATCHES_PER_TURN`] batches. Media before all else.
//! 3. **Timers** that are due.
//! 4. **Commands**, unless datagrams wait for room in the kernel: the answer to a command says that what
//!    it forbids does not leave any more. At most [`COMMANDS_PER_TURN`], of which at most
//!    [`JOINS_PER_TURN`] joins: a join costs as much as hundreds of packets, and a storm of them must
//!    not be heard.
//! 5. **Publish** figures, at most once in [`PUBLISH_INTERVAL`].

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token};
use stoa_core::{DropReason, Node, Output, Stats, Transmit};

use crate::{
    mailbox::Command,
    notices::Notices,
    outbox::{Counts, Outbox},
    socket::{MediaSocket, ReceiveBuffer},
    status::WorkerStatus,
};

/// Batches received from one socket in a turn: up to 4 x 32 entries, so that timers and commands wait
/// for less than a millisecond under a flood.
const BATCHES_PER_TURN: usize = 4;

/// Commands in a turn.
const COMMANDS_PER_TURN: usize = 16;

/// Joins in a turn.
const JOINS_PER_TURN: usize = 1;

const _: () = assert!(JOINS_PER_TURN <= COMMANDS_PER_TURN);

/// How soon it is tried again to send what the kernel had no room for.
const BLOCKED_RETRY: Duration = Duration::from_millis(1);

/// How often figures are published, and notices that could not be told are tried again.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(1);

/// The token of the waker; sockets have their index.
pub(crate) const WAKER: Token = Token(usize::MAX);

/// What a worker's thread is given.
pub(crate) struct Equipment {
    pub(crate) node: Node,
    pub(crate) poll: Poll,
    pub(crate) sockets: Vec<MediaSocket>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) notices: Notices,
    pub(crate) status: Arc<Mutex<WorkerStatus>>,
}

/// Everything that a worker's thread owns.
struct Worker {
    node: Node,
    poll: Poll,
    sockets: Vec<MediaSocket>,
    commands: mpsc::Receiver<Command>,
    notices: Notices,
    status: Arc<Mutex<WorkerStatus>>,
    /// One for each socket. They are made in the worker's thread and stay there.
    outboxes: Vec<Outbox>,
    /// Datagrams for an IP version that has no socket.
    without_socket: u64,
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
            commands: self.commands,
            notices: self.notices,
            status: self.status,
            without_socket: 0,
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
        loop {
            let latest = published + PUBLISH_INTERVAL;
            let mut until = timeout.map_or(latest, |at| at.min(latest));
            if self.is_blocked() {
                until = until.min(Instant::now() + BLOCKED_RETRY);
            } else if more_waits {
                until = Instant::now();
            }
            self.wait(&mut events, until)?;

            let datagrams_wait = self.receive(&mut buffer)?;
            self.node.handle_timeout(Instant::now());
            self.flush();

            let Handled {
                commands_wait,
                shut_down,
                any,
            } = match self.is_blocked() {
                true => Handled {
                    commands_wait: true,
                    ..Handled::default()
                },
                false => self.obey(),
            };
            timeout = self.flush();
            more_waits = datagrams_wait || commands_wait;

            let now = Instant::now();
            if any || shut_down || now >= published + PUBLISH_INTERVAL {
                self.publish();
                self.notices.settle();
                published = now;
            }
            if shut_down {
                return Ok(());
            }
        }
    }

    fn wait(&mut self, events: &mut Events, until: Instant) -> io::Result<()> {
        let timeout = until.saturating_duration_since(Instant::now());
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
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

    /// Does what the core wants done. Returns when it wants its next turn.
    fn flush(&mut self) -> Option<Instant> {
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => self.send(transmit),
                Output::Event(event) => self.notices.tell(event),
                Output::Message { .. } | Output::Media { .. } => {}
                Output::Timeout { at, .. } => {
                    (0..self.sockets.len()).for_each(|index| self.send_batches(index));
                    return at;
                }
            }
        }
    }

    fn send(&mut self, transmit: Transmit) {
        let is_ipv4 = transmit.destination.is_ipv4();
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

    fn is_blocked(&self) -> bool {
        self.outboxes.iter().any(Outbox::is_blocked)
    }

    fn obey(&mut self) -> Handled {
        let mut handled = Handled::default();
        let mut joins = 0;
        for _ in 0..COMMANDS_PER_TURN {
            match self.commands.try_recv() {
                Ok(Command::ShutDown) | Err(mpsc::TryRecvError::Disconnected) => {
                    self.node.shut_down(Instant::now());
                    handled.shut_down = true;
                    return handled;
                }
                Ok(command) => {
                    handled.any = true;
                    joins += usize::from(matches!(command, Command::Join { .. }));
                    self.handle(command);
                }
                Err(mpsc::TryRecvError::Empty) => return handled,
            }
            if joins >= JOINS_PER_TURN {
                break;
            }
        }
        handled.commands_wait = true;
        handled
    }

    fn handle(&mut self, command: Command) {
        let now = Instant::now();
        let node = &mut self.node;
        // Whoever asked may have gone meanwhile; that is theirs to know.
        match command {
            Command::CreateRoom {
                room,
                settings,
                reply,
            } => {
                drop(reply.send(node.create_room(now, room, settings)));
            }
            Command::UpdateRoom {
                room,
                update,
                reply,
            } => {
                drop(reply.send(node.update_room(now, &room, update)));
            }
            Command::ChangeParticipant {
                target,
                change,
                reply,
            } => {
                let session = target.session.as_ref();
                let (room, who) = (&target.room, &target.participant);
                drop(reply.send(node.change_participant(now, room, who, session, change)));
            }
            Command::CloseRoom { room, reply } => drop(reply.send(node.close_room(now, &room))),
            Command::Join { join, reply } => {
                // Nobody waits for the answer any more, so nobody would ever use it.
                if !reply.is_closed() {
                    drop(reply.send(node.join(now, join)));
                }
            }
            Command::AddIceCandidate {
                target,
                candidate,
                reply,
            } => {
                let session = target.session.as_ref();
                let (room, who) = (&target.room, &target.participant);
                drop(reply.send(node.add_ice_candidate(now, room, who, session, &candidate)));
            }
            Command::RemoveParticipant { target, reply } => {
                let session = target.session.as_ref();
                let (room, who) = (&target.room, &target.participant);
                drop(reply.send(node.remove_participant(now, room, who, session)));
            }
            Command::Snapshots { reply } => drop(reply.send(node.snapshots())),
            Command::ShutDown => {}
        }
    }

    fn publish(&mut self) {
        let status = self.describe(&self.node.stats());
        // Never wait for a reader: the next turn publishes newer figures anyway.
        if let Ok(mut published) = self.status.try_lock() {
            *published = status;
        }
    }

    fn describe(&self, stats: &Stats) -> WorkerStatus {
        let mut dropped: BTreeMap<_, _> = DropReason::ALL
            .iter()
            .map(|&reason| (reason.name(), stats.dropped(reason)))
            .collect();
        let sum =
            |of: fn(&Counts) -> u64| self.outboxes.iter().map(|outbox| of(&outbox.counts)).sum();
        let failed: u64 = sum(|counts| counts.failed);
        dropped.insert("send_buffer_full", sum(|counts| counts.buffer_full));
        dropped.insert("send_failed", failed + self.without_socket);
        WorkerStatus {
            port: self
                .sockets
                .first()
                .map_or(0, |socket| socket.address().port()),
            rooms: stats.rooms,
            participants: stats.participants,
            datagrams_received: stats.datagrams_in,
            datagrams_sent: sum(|counts| counts.sent),
            datagrams_dropped: dropped,
        }
    }
}

/// What one turn's commands came to.
#[derive(Debug, Default)]
struct Handled {
    any: bool,
    commands_wait: bool,
    shut_down: bool,
}
