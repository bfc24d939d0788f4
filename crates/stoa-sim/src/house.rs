//! A house: the nodes and the lobby of one process, driven as if they were one node.
//!
//! Each node has a worker's address of its own. What they say to each other is carried as threads would carry
//! it: a little later ([`BETWEEN_WORKERS`]), in order, and messages apart from media.

mod calls;
mod look;
mod post;
mod quotas;

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant, SystemTime},
};

use stoa_core::{
    Certificate, EgressPath, Endpoint, Limits, Lobby, LobbyConfig, LobbyId, LobbyOutput, Node,
    NodeConfig, Output, Peer, RoomId, TimeoutReason, Transmit, Venue, WorkerId,
};

use self::{
    post::{Letter, Post, Way},
    quotas::Sharing,
};
use crate::{TIME_OF_DAY, random::Random, worker_address};

pub use self::post::BETWEEN_WORKERS;

/// How many sessions the lobby sets up at a time.
pub const LOBBY_SESSIONS: usize = 32;

/// How much longer the lobby keeps a session than a node waits for it.
const LOBBY_PATIENCE: Duration = Duration::from_secs(5);

/// How many nodes there are, and whether sessions are set up in a lobby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How many workers, each with a node.
    pub workers: usize,
    /// Whether there is a lobby. Where there is none, each node sets its sessions up itself.
    pub lobby: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            workers: 1,
            lobby: false,
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = match self.workers {
            1 => "1 worker".to_owned(),
            workers => format!("{workers} workers"),
        };
        let lobby = if self.lobby { "a lobby" } else { "no lobby" };
        write!(f, "{workers} and {lobby}")
    }
}

/// How a house is set up.
pub(crate) struct HouseConfig {
    pub(crate) layout: Layout,
    pub(crate) limits: Limits,
    pub(crate) egress: EgressPath,
    pub(crate) certificate: Certificate,
}

/// When a node wants its next turn, and what for.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: Option<Instant>,
    why: TimeoutReason,
}

impl Due {
    const NEVER: Self = Self {
        at: None,
        why: TimeoutReason::Idle,
    };
}

/// Several nodes, perhaps with a lobby, that do together what one does.
///
/// A room is at home where its name says, and participants are seated at one worker after the other.
pub struct House {
    layout: Layout,
    nodes: Vec<Node>,
    lobby: Option<Lobby>,
    /// Of each node, as it last said.
    due: Vec<Due>,
    /// Of the lobby.
    lobby_due: Option<Instant>,
    post: Post,
    sharing: Option<Sharing>,
    /// Nodes that have not been polled to their timeout since they were last handed something.
    unpolled: BTreeSet<usize>,
    /// What was sent before a call that takes a right away was answered.
    settled: VecDeque<Transmit>,
    outputs: VecDeque<Output>,
    /// How many were given a seat.
    seated: usize,
    /// The latest time that was handed in.
    now: Instant,
}

/// Setting up.
impl House {
    /// A house without rooms. The first node gets the seed as it is; all else that is random is drawn
    /// from it.
    ///
    /// # Panics
    /// If there is no worker, or several without a lobby: a node sets sessions up for its own seats alone.
    pub(crate) fn new(now: Instant, config: &HouseConfig, seed: [u8; 32]) -> Self {
        let layout = config.layout;
        assert!(layout.workers > 0, "a house has a node");
        assert!(
            layout.workers == 1 || layout.lobby,
            "seats at other workers need a lobby"
        );
        let first_bytes = seed.first_chunk().expect("more than 8 bytes");
        let random = Random::new(u64::from_be_bytes(*first_bytes));
        let seed_of = |worker: usize| match worker {
            0 => seed,
            _ => random.child(worker as u64).bytes(),
        };
        let node = |worker: usize| {
            let config = NodeConfig {
                worker: worker_id(worker),
                candidates: vec![worker_address(worker)],
                tcp: true,
                certificate: config.certificate.clone(),
                limits: config.limits.clone(),
                egress: config.egress,
                time_of_day: SystemTime::UNIX_EPOCH + TIME_OF_DAY,
            };
            Node::new(now, config, seed_of(worker))
        };
        let lobby = || {
            let venue = |worker| Venue {
                candidates: vec![worker_address(worker)],
                tcp: true,
            };
            let config = LobbyConfig {
                lobby: LobbyId(0),
                venues: (0..layout.workers).map(venue).collect(),
                certificate: config.certificate.clone(),
                egress: config.egress,
                sessions: LOBBY_SESSIONS,
                patience: config.limits.connect_timeout + LOBBY_PATIENCE,
            };
            Lobby::new(now, config, seed_of(layout.workers))
        };
        Self {
            layout,
            nodes: (0..layout.workers).map(node).collect(),
            lobby: layout.lobby.then(lobby),
            due: vec![Due::NEVER; layout.workers],
            lobby_due: None,
            post: Post::new(now, random.child(layout.workers as u64 + 1)),
            sharing: None,
            unpolled: BTreeSet::new(),
            settled: VecDeque::new(),
            outputs: VecDeque::new(),
            seated: 0,
            now,
        }
    }

    /// How it is laid out.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// How long something takes at most from one worker to another.
    pub fn between_workers(&self) -> Duration {
        match self.layout.workers {
            1 => Duration::ZERO,
            _ => BETWEEN_WORKERS,
        }
    }

    /// Where a room of this name is at home: at any node, but always at the same.
    pub fn home_of(&self, room: &RoomId) -> WorkerId {
        worker_id(self.home(room))
    }

    fn home(&self, room: &RoomId) -> usize {
        let bytes = room.as_str().bytes();
        bytes.map(usize::from).sum::<usize>() % self.nodes.len()
    }

    /// Which worker has this address.
    pub(crate) fn worker_at(&self, address: SocketAddr) -> Option<usize> {
        (0..self.nodes.len()).find(|&worker| worker_address(worker) == address)
    }

    /// Loses this share of the media between workers from now on, 0 to 1.
    pub fn lose_media(&mut self, share: f64) {
        self.post.loss = share;
    }
}

/// Driving.
impl House {
    /// Takes a datagram that came to a worker; where no address says to which, to the first one.
    ///
    /// # Panics
    /// If no worker has that address.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        remote: Endpoint,
        local: Option<IpAddr>,
        datagram: &[u8],
    ) {
        let has_address = |&worker: &usize| local == Some(worker_address(worker).ip());
        let worker = match local {
            None => 0,
            Some(_) => (0..self.nodes.len())
                .find(has_address)
                .expect("a worker at this address"),
        };
        self.at(now, worker)
            .handle_datagram(now, remote, local, datagram);
    }

    /// Tells every worker that a connection is closed: those that know it, care.
    pub fn handle_disconnect(&mut self, now: Instant, remote: Endpoint) {
        for worker in 0..self.nodes.len() {
            self.at(now, worker).handle_disconnect(now, remote);
        }
    }

    /// Does what is due: first all that arrives, each with all that comes of it.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.share();
        while let Some((way, letter)) = self.post.take(self.now) {
            self.deliver(way, letter);
            self.poll_all();
        }
        for worker in 0..self.nodes.len() {
            if self.due[worker].at.is_some_and(|at| at <= self.now) {
                self.at(now, worker).handle_timeout(now);
                self.poll_all();
            }
        }
        if let Some(lobby) = &mut self.lobby
            && self.lobby_due.is_some_and(|at| at <= self.now)
        {
            lobby.handle_timeout(now);
            self.poll_lobby();
        }
    }

    /// The next thing to do; messages and media never leave the house. That a letter arrives, or that the
    /// lobby or a quota has something to do, is told as a session's timeout.
    pub fn poll_output(&mut self) -> Output {
        if let Some(transmit) = self.settled.pop_front() {
            return Output::Transmit(transmit);
        }
        self.poll_all();
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        let of_session = |at| Due {
            at,
            why: TimeoutReason::Session,
        };
        let others = [self.post.next(), self.lobby_due, self.next_share()].map(of_session);
        let all = self.due.iter().copied().chain(others);
        let first = all.filter(|due| due.at.is_some()).min_by_key(|due| due.at);
        let Due { at, why } = first.unwrap_or(Due::NEVER);
        Output::Timeout { at, why }
    }

    /// What was sent before the last call that takes a right away was answered.
    pub(crate) fn take_settled(&mut self) -> Vec<Transmit> {
        self.settled.drain(..).collect()
    }

    /// A node that is about to be handed something.
    fn at(&mut self, now: Instant, worker: usize) -> &mut Node {
        self.now = self.now.max(now);
        self.unpolled.insert(worker);
        &mut self.nodes[worker]
    }

    fn deliver(&mut self, way: Way, letter: Letter) {
        let now = self.now;
        match (self.nodes.len() == way.to, letter) {
            (true, Letter::Message(message)) => {
                let lobby = self.lobby.as_mut().expect("a lobby that is written to");
                lobby.handle_message(now, message);
                self.poll_lobby();
            }
            (true, Letter::Packet(_)) => unreachable!("media goes to workers"),
            (false, Letter::Message(message)) => self.at(now, way.to).handle_message(now, message),
            (false, Letter::Packet(packet)) => {
                let from = worker_id(way.from);
                self.at(now, way.to).handle_relayed(now, from, packet);
            }
        }
    }

    fn poll_all(&mut self) {
        while let Some(&worker) = self.unpolled.first() {
            self.poll(worker, |house, output| house.outputs.push_back(output));
        }
    }

    /// Polls a node to its timeout.
    fn poll(&mut self, worker: usize, mut take: impl FnMut(&mut Self, Output)) {
        let ours = worker_address(worker).ip();
        loop {
            match self.nodes[worker].poll_output() {
                Output::Message { to, message } => {
                    let to = match to {
                        Peer::Worker(WorkerId(to)) => usize::from(to),
                        Peer::Lobby(_) => self.nodes.len(),
                    };
                    let way = Way { from: worker, to };
                    self.post.send(self.now, way, Letter::Message(message));
                }
                Output::Relay { to, packet } => {
                    let to = usize::from(to.0);
                    let way = Way { from: worker, to };
                    self.post.send(self.now, way, Letter::Packet(packet));
                }
                Output::Transmit(transmit) => {
                    // Where it does not matter, a worker's only socket decides.
                    let source = Some(*transmit.source.as_ref().unwrap_or(&ours));
                    assert_eq!(source, Some(ours), "a worker sends from its own address");
                    take(self, Output::Transmit(Transmit { source, ..transmit }));
                }
                Output::Timeout { at, why } => {
                    self.due[worker] = Due { at, why };
                    self.unpolled.remove(&worker);
                    return;
                }
                event @ Output::Event(_) => take(self, event),
            }
        }
    }

    fn poll_lobby(&mut self) {
        let from = self.nodes.len();
        while let Some(lobby) = &mut self.lobby {
            match lobby.poll_output() {
                LobbyOutput::Message { to, message } => {
                    let to = usize::from(to.0);
                    let way = Way { from, to };
                    self.post.send(self.now, way, Letter::Message(message));
                }
                LobbyOutput::Timeout(at) => {
                    self.lobby_due = at;
                    return;
                }
            }
        }
    }
}

fn worker_id(worker: usize) -> WorkerId {
    WorkerId(u16::try_from(worker).expect("a house has few workers"))
}
