//! ICE over TCP (RFC 6544) for clients whose networks block UDP: passive candidates on the workers' port
//! numbers, with datagrams framed as in RFC 4571.
//!
//! One thread has the connections of all workers, so that no worker ever waits for a connection: each has a
//! ring to the thread and one from it ([`link`]), and what finds no room there is dropped and counted. Who
//! somebody is, the node of the worker decides, as with UDP: the thread knows no credentials. A connection on
//! which no valid one is shown within a few seconds, or whose first datagram is not even a STUN request, is
//! closed; before that nothing is sent on it.
//!
//! # One turn of the loop
//!
//! In this order, each step with its bound:
//!
//! 1. **Wait** for connections, workers or the next deadline.
//! 2. **Take** what each worker wants sent, at most [`TAKEN_PER_TURN`], and write it, as far as the kernel
//!    takes it: at most a queue's length for each connection. A full queue drops its oldest audio.
//! 3. **Accept** at most [`ACCEPTED_PER_TURN`] connections at each port, within the bounds of [`table`].
//! 4. **Read** at most four times 2 KiB from each connection that has something, and no more from one than a
//!    speaker sends: the rest waits in the connection.
//! 5. **Close** what is overdue: without credential, silent, or not reading.
//! 6. **Tell** the workers what has come and what has left.

mod connection;
mod counts;
mod framing;
mod hub;
mod link;
mod listener;
mod table;

pub use self::table::MAX_CONNECTIONS;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use slotmap::{Key, KeyData, new_key_type};

use self::{
    connection::{Connection, READ_BYTES, abort},
    counts::Reason,
    link::{ToTcp, WorkerEnd},
    table::Table,
};
use crate::doorbell::Doorbell;

pub(crate) use self::{
    framing::{Frames, may_be_check},
    hub::Hub,
    link::TcpLink,
    listener::Listener,
};

new_key_type! {
    /// A connection; never another one later.
    pub(crate) struct ConnectionKey;
}

/// What is taken of a worker in a turn: as much as its ring holds.
const TAKEN_PER_TURN: usize = 4_096;

/// Connections that are accepted at a port in a turn.
const ACCEPTED_PER_TURN: usize = 64;

/// How soon it is looked again at connections that have sent more than they may.
const PACE: Duration = Duration::from_millis(20);

/// How soon it is looked again for room with a worker, or for files where none are left.
const RETRY: Duration = Duration::from_millis(20);

/// How often it is looked which connections are silent or do not read.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How long clients have to close their connections when the workers end.
const LONGEST_FAREWELL: Duration = Duration::from_millis(500);

/// A port, and the worker whose it is.
struct Port {
    listener: Listener,
    worker: usize,
    /// Whether the kernel may hold more connections.
    is_ready: bool,
}

/// A worker, as the thread sees it.
struct Worker {
    end: WorkerEnd,
    /// How many datagrams of it wait in connections.
    queued: usize,
}

/// Everything that the thread owns.
struct Exchange {
    poll: Poll,
    doorbell: Arc<Doorbell>,
    ports: Vec<Port>,
    workers: Vec<Worker>,
    table: Table,
    /// Connections that have something to read, as far as is known.
    readable: Vec<ConnectionKey>,
    /// Connections to which something is to be written in this turn.
    written_to: Vec<ConnectionKey>,
    swept_at: Instant,
    /// Whether the system had no file left for a connection.
    is_out_of_files: bool,
}

fn token(key: ConnectionKey) -> Token {
    // The generation is in the upper half and never 0, so it is none of the ports' tokens.
    Token(key.data().as_ffi() as usize)
}

fn key(token: Token) -> ConnectionKey {
    KeyData::from_ffi(token.0 as u64).into()
}

impl Exchange {
    fn new(hub: Hub) -> Self {
        Self {
            poll: hub.poll,
            doorbell: hub.doorbell,
            ports: hub.ports,
            workers: hub.workers,
            table: Table::new(),
            readable: Vec::new(),
            written_to: Vec::new(),
            swept_at: Instant::now(),
            is_out_of_files: false,
        }
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1_024);
        let mut buffer = [0; READ_BYTES];
        loop {
            self.wait(&mut events)?;
            let is_over = self.workers.iter().all(|worker| worker.end.is_over());
            self.take();
            self.write();
            self.accept();
            self.read(&mut buffer);
            self.close_overdue();
            self.tell();
            if is_over {
                self.say_goodbye(&mut buffer);
                return Ok(());
            }
        }
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let now = Instant::now();
        let until = self.turn_at(now);
        let timeout = until.map(|until| until.saturating_duration_since(now));
        let result = self.poll.poll(events, timeout);
        self.doorbell.answer();
        match result {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in events.iter() {
            if let Some(port) = self.ports.get_mut(event.token().0) {
                port.is_ready = true;
            } else if let Some(connection) = self.table.get(key(event.token())) {
                let is_new = !connection.is_readable;
                let is_over = event.is_read_closed() || event.is_error();
                connection.note(event.is_readable() || is_over, event.is_writable());
                if is_new && connection.is_readable {
                    self.readable.push(key(event.token()));
                }
                self.written_to.push(key(event.token()));
            }
        }
        Ok(())
    }

    /// When there is something to do again, if nothing comes before. A thread without connections sleeps.
    fn turn_at(&self, now: Instant) -> Option<Instant> {
        let ends = || self.workers.iter().map(|worker| &worker.end);
        let is_over = ends().all(WorkerEnd::is_over);
        if is_over || ends().any(WorkerEnd::has_more) || self.ports.iter().any(|port| port.is_ready)
        {
            return Some(now);
        }
        let retry = self.is_out_of_files || ends().any(|end| end.untold() > 0);
        let turns = [
            self.table.next_deadline(),
            (!self.table.is_empty()).then(|| self.swept_at + SWEEP_INTERVAL),
            retry.then(|| now + RETRY),
            (!self.readable.is_empty()).then(|| now + PACE),
        ];
        turns.into_iter().flatten().min()
    }

    /// Takes what the workers want.
    fn take(&mut self) {
        let now = Instant::now();
        for index in 0..self.workers.len() {
            for _ in 0..TAKEN_PER_TURN {
                let Some(item) = self.workers[index].end.pop() else {
                    break;
                };
                match item {
                    ToTcp::Send(key, contents) => self.queue(now, key, contents),
                    ToTcp::Admit(key) => self.table.admit(key),
                    ToTcp::Refuse(key) => self.close(key, Some(Reason::Unknown)),
                }
            }
        }
    }

    fn queue(&mut self, now: Instant, key: ConnectionKey, contents: Vec<u8>) {
        // Nobody is answered without a credential.
        self.table.admit(key);
        let Some(connection) = self.table.get(key) else {
            return;
        };
        let worker = &mut self.workers[connection.worker];
        let dropped = connection.push(now, contents);
        worker.queued = worker.queued + 1 - dropped;
        worker.end.counts.add(Reason::SlowReader, dropped as u64);
        self.written_to.push(key);
    }

    /// Writes what waits.
    fn write(&mut self) {
        let now = Instant::now();
        let mut keys = std::mem::take(&mut self.written_to);
        for key in keys.drain(..) {
            let Some(connection) = self.table.get(key) else {
                continue;
            };
            let worker = &mut self.workers[connection.worker];
            match connection.flush(now) {
                Ok(sent) => {
                    worker.queued -= sent;
                    worker.end.counts.add_sent(sent as u64);
                }
                Err(_) => self.close(key, None),
            }
        }
        self.written_to = keys;
        self.drop_what_delays_answers();
    }

    /// An answer of a worker says that what it forbids does not leave any more. So audio that waits for slow
    /// readers goes.
    fn drop_what_delays_answers(&mut self) {
        for index in 0..self.workers.len() {
            if !self.workers[index].end.is_in_a_hurry() || self.workers[index].queued == 0 {
                continue;
            }
            let ours = self.table.iter();
            let ours = ours.filter(|(_, connection)| connection.worker == index);
            let dropped: usize = ours.map(|(_, connection)| connection.drop_audio()).sum();
            let worker = &mut self.workers[index];
            worker.queued -= dropped;
            worker.end.counts.add(Reason::SlowReader, dropped as u64);
        }
    }

    fn accept(&mut self) {
        self.is_out_of_files = false;
        for index in 0..self.ports.len() {
            for _ in 0..ACCEPTED_PER_TURN {
                let port = &mut self.ports[index];
                if !port.is_ready {
                    break;
                }
                match port.listener.socket.accept() {
                    Ok((stream, remote)) => {
                        let worker = port.worker;
                        self.let_in(stream, remote, worker);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        port.is_ready = false;
                    }
                    // It was closed again, and there may be others.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        tracing::debug!(%error, "a connection cannot be accepted");
                        self.is_out_of_files = true;
                        break;
                    }
                }
            }
        }
    }

    fn let_in(&mut self, stream: TcpStream, remote: SocketAddr, worker: usize) {
        let untold = self.workers.iter().map(|worker| worker.end.untold()).sum();
        if let Some(reason) = self.table.refusal(remote, untold) {
            abort(&stream);
            return self.workers[worker].end.counts.count(reason);
        }
        let (key, evicted) = self.table.insert(Instant::now(), stream, remote, worker);
        if let Some(evicted) = evicted {
            self.close(evicted, Some(Reason::Evicted));
        }
        let both = Interest::READABLE | Interest::WRITABLE;
        let registered = self.table.get(key).is_some_and(|connection| {
            let registry = self.poll.registry();
            registry
                .register(connection.stream(), token(key), both)
                .is_ok()
        });
        if !registered {
            self.close(key, None);
        }
    }

    /// Reads from connections that have something.
    fn read(&mut self, buffer: &mut [u8; READ_BYTES]) {
        let now = Instant::now();
        let mut keys = std::mem::take(&mut self.readable);
        keys.retain(|&key| {
            let Some(connection) = self.table.get(key) else {
                return false;
            };
            let remote = connection.remote;
            let end = &mut self.workers[connection.worker].end;
            let read = connection.read(now, buffer, |datagram| {
                end.hand_on(key, remote, datagram.to_vec());
            });
            match read {
                Ok(()) => connection.is_readable,
                Err(reason) => {
                    self.close(key, reason);
                    false
                }
            }
        });
        self.readable = keys;
    }

    fn close_overdue(&mut self) {
        let now = Instant::now();
        let mut overdue: Vec<_> = self.table.take_overdue(now);
        let mut reasons = vec![Reason::Unproven; overdue.len()];
        if now >= self.swept_at + SWEEP_INTERVAL {
            self.swept_at = now;
            for (key, connection) in self.table.iter() {
                if connection.prove_until.is_none()
                    && let Some(reason) = connection.is_overdue(now)
                {
                    overdue.push(key);
                    reasons.push(reason);
                }
            }
        }
        for (key, reason) in overdue.into_iter().zip(reasons) {
            self.close(key, Some(reason));
        }
    }

    /// Closes a connection, counted where there is a reason, and tells its worker.
    fn close(&mut self, key: ConnectionKey, reason: Option<Reason>) {
        let Some(mut connection) = self.table.remove(key) else {
            return;
        };
        let worker = &mut self.workers[connection.worker];
        worker.queued -= connection.queued();
        if let Some(reason) = reason {
            worker.end.counts.count(reason);
        }
        worker.end.close(key, connection.remote);
        drop(self.poll.registry().deregister(connection.stream()));
        abort(connection.stream());
    }

    fn tell(&mut self) {
        for worker in &mut self.workers {
            worker.end.tell_closed();
            if worker.queued == 0 || worker.end.is_in_a_hurry() {
                worker.end.pass();
            }
            worker.end.ring();
        }
    }

    /// The workers have ended, and what they said last is in the kernel. It would be lost if something came
    /// for a connection that is closed, so clients have a moment to close theirs first.
    fn say_goodbye(&mut self, buffer: &mut [u8; READ_BYTES]) {
        let mut connections: Vec<_> = self.table.drain().collect();
        connections.iter_mut().for_each(Connection::end);
        let until = Instant::now() + LONGEST_FAREWELL;
        while !connections.is_empty() && Instant::now() < until {
            connections.retain_mut(|connection| !connection.is_closed(buffer));
            // bounded: by LONGEST_FAREWELL
            std::thread::sleep(RETRY);
        }
    }
}
