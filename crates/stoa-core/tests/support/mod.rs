//! A room on a virtual network: one node, real str0m clients, and a clock that only a test moves.
//!
//! Everything happens in one thread and nothing waits: the clock jumps to the next packet or
//! timeout. Addresses are made up; no socket is opened.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a crate of its own and uses a part of this"
)]

mod changes;
pub mod client;
pub mod offers;
pub mod stun;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant},
};

use stoa_core::{
    Certificate, Csrc, Error, Join, Joined, Limits, Node, NodeConfig, Output, ParticipantId,
    RoomEvent, RoomEventKind, RoomId, RoomSnapshot, Stats, Transmit,
};

use client::Client;

/// One Opus frame, as the clients here send them.
pub const FRAME: Duration = Duration::from_millis(20);

/// Which client, in the order in which they were added.
pub type ClientId = usize;

/// What becomes of a datagram of a client on its way to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Deliver,
    Lose,
    /// It takes this much longer than the network's latency.
    Delay(Duration),
}

/// Bytes exchanged with one address, as the node sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    pub bytes_in: usize,
    pub bytes_out: usize,
    /// Whether the node ever had sent more to the address than it had received from there.
    pub amplified: bool,
}

struct Datagram {
    from: SocketAddr,
    to: SocketAddr,
    contents: Vec<u8>,
}

type Uplink = Box<dyn FnMut(ClientId, &[u8]) -> Fate>;

/// The node, its clients, and the network between them.
pub struct Net {
    pub node: Node,
    pub clients: Vec<Client>,
    /// All events of the node, and when they came.
    pub events: Vec<(Duration, RoomEvent)>,
    pub traffic: HashMap<SocketAddr, Traffic>,
    /// How often the node asked to be woken and was.
    pub wakes: usize,
    /// How long a datagram takes, either way.
    pub latency: Duration,
    start: Instant,
    elapsed: Duration,
    node_timeout: Option<Instant>,
    in_flight: BTreeMap<(Duration, u64), Datagram>,
    sent: u64,
    uplink: Uplink,
}

/// Where the node is.
pub fn node_address() -> SocketAddr {
    "10.0.1.1:3478".parse().unwrap()
}

pub fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

pub fn participant(name: &str) -> ParticipantId {
    ParticipantId::new(name).unwrap()
}

impl Net {
    /// A node with the default limits, and a room "room".
    pub fn new() -> Self {
        Self::with(Limits::default(), [7; 32])
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, [7; 32])
    }

    pub fn with(limits: Limits, seed: [u8; 32]) -> Self {
        static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
        let config = NodeConfig {
            candidates: vec![node_address()],
            certificate: CERTIFICATE
                .get_or_init(|| Certificate::generate().unwrap())
                .clone(),
            limits,
        };
        let start = Instant::now();
        let mut net = Self {
            node: Node::new(start, config, seed),
            clients: Vec::new(),
            events: Vec::new(),
            traffic: HashMap::new(),
            wakes: 0,
            latency: Duration::from_millis(5),
            start,
            elapsed: Duration::ZERO,
            node_timeout: None,
            in_flight: BTreeMap::new(),
            sent: 0,
            uplink: Box::new(|_, _| Fate::Deliver),
        };
        net.node
            .create_room(start, room("room"), Default::default())
            .unwrap();
        net.drain_node();
        net
    }

    pub fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    /// How much virtual time has passed.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Decides about every datagram that clients send from now on.
    pub fn on_uplink(&mut self, uplink: impl FnMut(ClientId, &[u8]) -> Fate + 'static) {
        self.uplink = Box::new(uplink);
    }

    /// Adds a client with so many lines to "room" and waits until it is connected.
    pub fn join(&mut self, name: &str, lines: usize) -> ClientId {
        self.join_room("room", name, lines)
    }

    pub fn join_room(&mut self, to: &str, name: &str, lines: usize) -> ClientId {
        let id = self.admit(to, name, lines).unwrap();
        self.wait_until_connected(id);
        id
    }

    pub fn wait_until_connected(&mut self, id: ClientId) {
        self.run_until("the client is connected", |net| {
            net.clients[id].connected && net.is_connected(id)
        });
    }

    /// Adds a client and hands its offer in, without waiting for anything.
    pub fn admit(&mut self, to: &str, name: &str, lines: usize) -> Result<ClientId, Error> {
        self.admit_with(to, name, lines, |offer| offer)
    }

    /// The same, with an offer that is edited on its way.
    pub fn admit_with(
        &mut self,
        to: &str,
        name: &str,
        lines: usize,
        edit: impl FnOnce(String) -> String,
    ) -> Result<ClientId, Error> {
        let id = self.clients.len();
        let (mut client, offer) = Client::new(self.now(), id, to, name, lines);
        let joined = self.offer(to, name, &edit(offer))?;
        client.accept(self.now(), &joined);
        self.clients.push(client);
        self.drain_client(id);
        Ok(id)
    }

    /// Asks the node to let somebody in, whose client is not simulated.
    pub fn offer(&mut self, to: &str, name: &str, offer: &str) -> Result<Joined, Error> {
        let join = Join {
            room: room(to),
            participant: participant(name),
            display_name: name.into(),
            role: Default::default(),
            metadata: Default::default(),
            offer: offer.to_owned(),
        };
        let joined = self.node.join(self.now(), join);
        self.drain_node();
        joined
    }

    fn is_connected(&self, id: ClientId) -> bool {
        let client = &self.clients[id];
        let mut events = self.events.iter();
        events.any(|(_, event)| {
            event.room == client.room
                && matches!(&event.kind, RoomEventKind::Connected { participant } if *participant == client.id)
        })
    }

    /// Each of `speakers` sends a packet with its level, in -dBov, every 20 ms, for so long.
    pub fn speak(&mut self, speakers: &[(ClientId, u8)], duration: Duration) {
        let end = self.elapsed + duration;
        while self.elapsed < end {
            for &(id, level) in speakers {
                self.say(id, level);
            }
            self.run_for(FRAME);
        }
    }

    /// One client sends one packet now.
    pub fn say(&mut self, id: ClientId, level: u8) {
        let now = self.now();
        self.clients[id].write(now, level);
        self.drain_client(id);
    }

    /// A client closes its session, as a browser does when the page is left.
    pub fn hang_up(&mut self, id: ClientId) {
        self.clients[id].rtc.close().unwrap();
        self.drain_client(id);
    }

    /// A client stops to exist; nobody is told.
    pub fn vanish(&mut self, id: ClientId) {
        self.clients[id].vanished = true;
    }

    /// A NAT gives the client another outer address.
    pub fn rebind(&mut self, id: ClientId, outer: SocketAddr) {
        self.clients[id].outer = outer;
    }

    /// A datagram from anywhere reaches the node at once. Returns what the node sends in answer.
    pub fn inject(&mut self, from: SocketAddr, contents: &[u8]) -> Vec<Transmit> {
        self.hand_to_node(from, contents);
        self.collect_node()
    }

    /// The room as the node has it.
    pub fn snapshot(&self, of: &str) -> RoomSnapshot {
        let mut snapshots = self.node.snapshots().into_iter();
        snapshots.find(|found| found.room == room(of)).unwrap()
    }

    pub fn stats(&self) -> Stats {
        self.node.stats()
    }

    pub fn csrc(&self, id: ClientId) -> Csrc {
        self.clients[id].csrc
    }

    /// Forgets what the clients have heard so far.
    pub fn forget_heard(&mut self) {
        for client in &mut self.clients {
            client.heard.clear();
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.elapsed + duration;
        while self.step(end) {}
        self.elapsed = end;
    }

    /// Lets time pass until the condition holds; fails after a virtual minute.
    pub fn run_until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = self.elapsed + Duration::from_secs(60);
        while !condition(self) {
            assert!(self.step(end), "not in 60 s: {what}");
        }
    }

    /// Hands in what the node's commands have left to do; for tests that call the node directly.
    pub fn drain_node(&mut self) {
        for transmit in self.collect_node() {
            self.send(
                node_address(),
                transmit.destination,
                transmit.contents,
                Duration::ZERO,
            );
        }
    }

    /// The next thing that happens, if it does before `end`.
    fn step(&mut self, end: Duration) -> bool {
        let arrival = self.in_flight.keys().next().map(|&(at, _)| at);
        let node = self.node_timeout.map(|at| self.since_start(at));
        let client = (0..self.clients.len())
            .filter(|&id| !self.clients[id].vanished)
            .map(|id| (self.since_start(self.clients[id].timeout), id))
            .min();
        let client_at = client.map(|(at, _)| at);
        let Some(next) = [arrival, node, client_at].into_iter().flatten().min() else {
            return false;
        };
        if next > end {
            return false;
        }
        self.elapsed = self.elapsed.max(next);
        if arrival == Some(next) {
            self.deliver();
        } else if node == Some(next) {
            self.wakes += 1;
            self.node.handle_timeout(self.now());
            self.drain_node();
        } else if let Some((_, id)) = client {
            let now = self.now();
            self.clients[id].handle_timeout(now);
            self.drain_client(id);
        }
        true
    }

    fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    fn deliver(&mut self) {
        let Some((_, datagram)) = self.in_flight.pop_first() else {
            return;
        };
        if datagram.to == node_address() {
            self.hand_to_node(datagram.from, &datagram.contents);
            self.drain_node();
        } else {
            let now = self.now();
            let mut clients = self.clients.iter();
            let found = clients.position(|client| client.outer == datagram.to && !client.vanished);
            if let Some(id) = found {
                self.clients[id].receive(now, datagram.from, &datagram.contents);
                self.drain_client(id);
            }
        }
    }

    fn hand_to_node(&mut self, from: SocketAddr, contents: &[u8]) {
        self.traffic.entry(from).or_default().bytes_in += contents.len();
        let local = Some(node_address().ip());
        self.node.handle_datagram(self.now(), from, local, contents);
    }

    fn collect_node(&mut self) -> Vec<Transmit> {
        let mut transmits = Vec::new();
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => {
                    let traffic = self.traffic.entry(transmit.destination).or_default();
                    traffic.bytes_out += transmit.contents.len();
                    traffic.amplified |= traffic.bytes_out > traffic.bytes_in;
                    transmits.push(transmit);
                }
                Output::Event(event) => self.events.push((self.elapsed, event)),
                Output::Timeout { at, .. } => {
                    self.node_timeout = at;
                    return transmits;
                }
            }
        }
    }

    fn drain_client(&mut self, id: ClientId) {
        let elapsed = self.elapsed;
        let client = &mut self.clients[id];
        let (outer, transmits) = (client.outer, client.drain(elapsed));
        for contents in transmits {
            let extra = match (self.uplink)(id, &contents) {
                Fate::Deliver => Duration::ZERO,
                Fate::Lose => continue,
                Fate::Delay(extra) => extra,
            };
            self.send(outer, node_address(), contents, extra);
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, contents: Vec<u8>, extra: Duration) {
        let at = self.elapsed + self.latency + extra;
        self.sent += 1;
        let datagram = Datagram { from, to, contents };
        self.in_flight.insert((at, self.sent), datagram);
    }
}
