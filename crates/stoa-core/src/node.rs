//! The node: rooms, participants, seats, addresses and timers, and nothing but dispatch between them.
//!
//! A node is two things at once: *home* to rooms (`home`, `commands`, `updates`), and the place where
//! participants of its own and of other nodes' rooms have their *seats* (`media`, `seats`, `egress`). The two
//! sides talk in messages ([`crate::message`]), also within one node.

mod closing;
mod commands;
mod egress;
mod fill;
mod home;
mod inspect;
mod media;
mod quota;
mod resume;
mod seats;
mod updates;

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Instant, SystemTime},
};

use ahash::RandomState;
use rand::{Rng, SeedableRng, rngs::StdRng};
use slotmap::SlotMap;
use str0m::config::DtlsCert;

use crate::{
    audience::Audience,
    compose::{Composed, Destination},
    demux::Demux,
    egress::{
        EgressPath,
        direct::{Direct, NtpClock},
    },
    endpoint::Endpoint,
    event::RoomEvent,
    ids::{RoomId, WorkerId},
    keys::{BankKey, MemberAt, ParticipantKey, RoomAt, RoomKey, SessionKey},
    limits::Limits,
    message::{Content, Message, Packet, Relayed},
    output::{Output, TimeoutReason},
    participant::Participant,
    quota::Quotas,
    room::Room,
    seat::Seat,
    session::{Drained, keys::crypto, negotiate::SessionTemplate},
    stats::Stats,
    timers::Timers,
    transmit::Transmit,
};

pub use self::{fill::Fill, resume::SeatAt};

/// What may become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum TimerKey {
    Session(SessionKey),
    Liveness(SessionKey),
    Ranking(RoomKey),
    Report(SessionKey),
    Empty(RoomKey),
    Idle(RoomKey),
}

impl TimerKey {
    fn reason(self) -> TimeoutReason {
        match self {
            Self::Session(_) => TimeoutReason::Session,
            Self::Liveness(_) => TimeoutReason::Liveness,
            Self::Ranking(_) => TimeoutReason::Ranking,
            Self::Report(_) => TimeoutReason::Report,
            Self::Empty(_) | Self::Idle(_) => TimeoutReason::Closing,
        }
    }
}

/// The certificate with which a node proves in DTLS that it is whom its answers say (RFC 8122). Made
/// once for each process and shared by its nodes.
#[derive(Clone)]
pub struct Certificate(pub(crate) DtlsCert);

impl Certificate {
    /// Makes a new, self-signed certificate.
    ///
    /// # Errors
    /// A text, where the cryptographic library fails.
    pub fn generate() -> Result<Self, String> {
        let certificate = crypto().dtls_provider.generate_certificate();
        certificate
            .map(Self)
            .ok_or_else(|| "no DTLS certificate could be made".to_owned())
    }
}

/// How a node is set up.
#[derive(Clone)]
pub struct NodeConfig {
    /// Which of its process's workers drives it.
    pub worker: WorkerId,
    /// The UDP addresses at which clients reach this node, as they stand in every answer: after a
    /// 1:1 NAT, the outer ones. At least one for each IP version over which datagrams arrive.
    pub candidates: Vec<SocketAddr>,
    /// Whether clients that cannot use UDP may open TCP connections to the same addresses (RFC 6544).
    pub tcp: bool,
    /// The certificate for DTLS.
    pub certificate: Certificate,
    /// What the node may hold, and how long it waits.
    pub limits: Limits,
    /// How packets for listeners are written and encrypted.
    pub egress: EgressPath,
    /// The time of day when the node is made, as sender reports give it.
    pub time_of_day: SystemTime,
}

/// One sans-IO media node: rooms and everybody in them, and the seats of those whose datagrams come to it. See the [crate's page](crate) for how to
/// drive it.
pub struct Node {
    worker: WorkerId,
    template: SessionTemplate,
    limits: Limits,
    rng: StdRng,
    hasher: RandomState,
    /// The rooms that are at home here.
    rooms: SlotMap<RoomKey, Room>,
    rooms_by_id: HashMap<RoomId, RoomKey, RandomState>,
    /// Who is in those.
    participants: SlotMap<ParticipantKey, Participant>,
    /// The seats here, of whatever room.
    seats: SlotMap<SessionKey, Seat>,
    seats_by_member: HashMap<MemberAt, SessionKey, RandomState>,
    /// Who listens from seats here, by room.
    audiences: HashMap<RoomAt, Audience, RandomState>,
    demux: Demux,
    direct: Direct,
    timers: Timers<TimerKey>,
    /// The latest time that was handed in.
    now: Instant,
    transmits: VecDeque<Transmit>,
    events: VecDeque<RoomEvent>,
    /// What is to be said to other nodes and to lobbies, and handed on to them.
    letters: VecDeque<Output>,
    /// Seats whose session has something to send at its next turn.
    dirty: Vec<SessionKey>,
    /// Kept for its allocations.
    drained: Drained,
    /// Kept for its allocation.
    due: Vec<TimerKey>,
    /// Kept for its allocation.
    composed: Vec<Composed>,
    /// Kept for its allocation.
    withheld: Vec<(BankKey, Destination)>,
    /// What tenants may forward who have a limit.
    quotas: Quotas,
    stats: Stats,
}

impl Node {
    /// A node without rooms. All its randomness comes from `seed`: keys, too, so it must be secret
    /// and never used twice, but for tests.
    pub fn new(now: Instant, config: NodeConfig, seed: [u8; 32]) -> Self {
        let mut rng = StdRng::from_seed(seed);
        let hasher =
            RandomState::with_seeds(rng.random(), rng.random(), rng.random(), rng.random());
        let crypto = Arc::new(crypto());
        Self {
            worker: config.worker,
            demux: Demux::new(Arc::clone(&crypto), &hasher),
            template: SessionTemplate {
                crypto,
                certificate: config.certificate.0,
                candidates: config.candidates,
                tcp: config.tcp,
                egress: config.egress,
            },
            direct: Direct::new(
                NtpClock::new(now, config.time_of_day),
                config.limits.participants,
            ),
            limits: config.limits,
            rooms: SlotMap::with_key(),
            rooms_by_id: HashMap::with_hasher(hasher.clone()),
            participants: SlotMap::with_key(),
            seats: SlotMap::with_key(),
            seats_by_member: HashMap::with_hasher(hasher.clone()),
            audiences: HashMap::with_hasher(hasher.clone()),
            timers: Timers::new(hasher.clone()),
            quotas: Quotas::none(&hasher),
            rng,
            hasher,
            now,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            letters: VecDeque::new(),
            dirty: Vec::new(),
            drained: Drained::default(),
            due: Vec::new(),
            composed: Vec::new(),
            withheld: Vec::new(),
            stats: Stats::default(),
        }
    }

    /// What has been counted.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.rooms = self.rooms.len();
        stats.participants = self.participants.len();
        stats.seats = self.seats.len();
        stats.audiences = self.audiences.len();
        stats.timers = self.timers.count();
        stats
    }

    /// How many seats there are: [`Stats::seats`], at less cost.
    pub fn seats(&self) -> usize {
        self.seats.len()
    }

    /// Takes one datagram.
    ///
    /// `local` is the address of ours to which it came, where the socket tells; what is sent back
    /// will leave from there.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        remote: impl Into<Endpoint>,
        local: Option<IpAddr>,
        datagram: &[u8],
    ) {
        self.advance(now);
        self.stats.datagrams_in += 1;
        self.stats.bytes_in += datagram.len() as u64;
        if let Err(reason) = self.receive(remote.into(), local, datagram) {
            self.stats.count_drop(reason);
        }
    }

    /// Whether somebody who has a seat here has proven that they are there.
    pub fn is_known(&self, remote: Endpoint) -> bool {
        self.demux.owner(remote).is_some()
    }

    /// Takes that a connection is closed. Whoever was there can come back from elsewhere.
    pub fn handle_disconnect(&mut self, now: Instant, remote: Endpoint) {
        self.advance(now);
        self.disconnect(remote);
    }

    /// Takes what another node or a lobby of the process says.
    pub fn handle_message(&mut self, now: Instant, message: Message) {
        self.advance(now);
        match message.0 {
            Content::ToSeat(message) => self.at_seat(message),
            Content::ToHome(message) => self.at_home(message),
            Content::FromLobby(message) => self.take_from_lobby(message),
            // Of no concern to a node: it was carried to the wrong place.
            Content::ToLobby(_) => {}
        }
    }

    /// Takes a packet from another node of the process.
    pub fn handle_relayed(&mut self, now: Instant, from: WorkerId, packet: Relayed) {
        self.advance(now);
        match packet.0 {
            Packet::Composed(room, composed) => {
                let room = RoomAt { home: from, room };
                self.hear(room, Arc::unwrap_or_clone(composed));
            }
            Packet::Voice(speaker, packet) => self.forward(speaker, &packet),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        // All of it first: whatever is due again at once has its turn the next time, so that nothing
        // can keep the node from all else.
        let mut due = std::mem::take(&mut self.due);
        due.extend(std::iter::from_fn(|| self.timers.pop_due(self.now)));
        for key in due.drain(..) {
            match key {
                TimerKey::Session(seat) => self.serve_session(seat),
                TimerKey::Liveness(seat) => self.check_liveness(seat),
                TimerKey::Ranking(room) => self.rank(room),
                TimerKey::Report(seat) => self.report(seat),
                TimerKey::Empty(room) => self.check_empty(room),
                TimerKey::Idle(room) => self.check_idle(room),
            }
        }
        self.due = due;
    }

    /// The next thing to do; [`Output::Timeout`] when there is nothing more.
    pub fn poll_output(&mut self) -> Output {
        loop {
            if let Some(transmit) = self.transmits.pop_front() {
                self.stats.datagrams_out += 1;
                return Output::Transmit(transmit);
            }
            if self.seal_some() {
                continue;
            }
            if let Some(key) = self.dirty.pop() {
                if self.seats.get(key).is_some_and(|seat| seat.is_dirty) {
                    self.serve_session(key);
                }
                continue;
            }
            if let Some(letter) = self.letters.pop_front() {
                return letter;
            }
            if let Some(event) = self.events.pop_front() {
                return Output::Event(event);
            }
            return match self.timers.next() {
                Some((at, key)) => Output::Timeout {
                    at: Some(at),
                    why: key.reason(),
                },
                None => Output::Timeout {
                    at: None,
                    why: TimeoutReason::Idle,
                },
            };
        }
    }

    /// Time never runs backwards inside, whatever order datagrams of two sockets come in.
    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }
}
