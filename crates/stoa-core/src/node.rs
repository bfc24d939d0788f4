//! The node: rooms, participants, addresses and timers, and nothing but dispatch between them.

mod commands;
mod egress;
mod media;
mod updates;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Instant, SystemTime},
};

use ahash::RandomState;
use rand::{Rng, SeedableRng, rngs::StdRng};
use slotmap::SlotMap;
use str0m::config::DtlsCert;

use crate::{
    demux::Demux,
    egress::{
        EgressPath,
        direct::{Direct, NtpClock},
    },
    event::RoomEvent,
    ids::RoomId,
    keys::{ParticipantKey, RoomKey},
    limits::Limits,
    output::{Output, TimeoutReason, Transmit},
    participant::{Drained, Participant, keys::crypto, negotiate::SessionTemplate},
    room::Room,
    stats::Stats,
    timers::Timers,
};

pub use commands::{Join, Joined};

/// What may become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum TimerKey {
    Session(ParticipantKey),
    Liveness(ParticipantKey),
    Ranking(RoomKey),
    Report(ParticipantKey),
}

impl TimerKey {
    fn reason(self) -> TimeoutReason {
        match self {
            Self::Session(_) => TimeoutReason::Session,
            Self::Liveness(_) => TimeoutReason::Liveness,
            Self::Ranking(_) => TimeoutReason::Ranking,
            Self::Report(_) => TimeoutReason::Report,
        }
    }
}

/// The certificate with which a node proves in DTLS that it is whom its answers say (RFC 8122). Made
/// once for each process and shared by its nodes.
#[derive(Clone)]
pub struct Certificate(DtlsCert);

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
    /// The UDP addresses at which clients reach this node, as they stand in every answer: after a
    /// 1:1 NAT, the outer ones. At least one for each IP version over which datagrams arrive.
    pub candidates: Vec<SocketAddr>,
    /// The certificate for DTLS.
    pub certificate: Certificate,
    /// What the node may hold, and how long it waits.
    pub limits: Limits,
    /// How packets for listeners are written and encrypted.
    pub egress: EgressPath,
    /// The time of day when the node is made, as sender reports give it.
    pub time_of_day: SystemTime,
}

/// One sans-IO media node: rooms, and everybody in them. See the [crate's page](crate) for how to
/// drive it.
pub struct Node {
    template: SessionTemplate,
    limits: Limits,
    rng: StdRng,
    hasher: RandomState,
    rooms: SlotMap<RoomKey, Room>,
    rooms_by_id: std::collections::HashMap<RoomId, RoomKey, RandomState>,
    participants: SlotMap<ParticipantKey, Participant>,
    demux: Demux,
    direct: Direct,
    timers: Timers<TimerKey>,
    /// The latest time that was handed in.
    now: Instant,
    transmits: VecDeque<Transmit>,
    events: VecDeque<RoomEvent>,
    /// Participants whose session has something to send at its next turn.
    dirty: Vec<ParticipantKey>,
    /// Kept for its allocations.
    drained: Drained,
    /// Kept for its allocation.
    due: Vec<TimerKey>,
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
            demux: Demux::new(Arc::clone(&crypto), &hasher),
            template: SessionTemplate {
                crypto,
                certificate: config.certificate.0,
                candidates: config.candidates,
                egress: config.egress,
            },
            direct: Direct::new(NtpClock::new(now, config.time_of_day)),
            limits: config.limits,
            rooms: SlotMap::with_key(),
            rooms_by_id: std::collections::HashMap::with_hasher(hasher.clone()),
            participants: SlotMap::with_key(),
            timers: Timers::new(hasher.clone()),
            rng,
            hasher,
            now,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            dirty: Vec::new(),
            drained: Drained::default(),
            due: Vec::new(),
            stats: Stats::default(),
        }
    }

    /// What has been counted.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.rooms = self.rooms.len();
        stats.participants = self.participants.len();
        stats
    }

    /// Takes one datagram.
    ///
    /// `local` is the address of ours to which it came, where the socket tells; what is sent back
    /// will leave from there.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        remote: SocketAddr,
        local: Option<IpAddr>,
        datagram: &[u8],
    ) {
        self.advance(now);
        self.stats.datagrams_in += 1;
        if let Err(reason) = self.receive(remote, local, datagram) {
            self.stats.count_drop(reason);
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
                TimerKey::Session(participant) => self.serve_session(participant),
                TimerKey::Liveness(participant) => self.check_liveness(participant),
                TimerKey::Ranking(room) => self.rank(room),
                TimerKey::Report(participant) => self.report(participant),
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
                if self
                    .participants
                    .get(key)
                    .is_some_and(|participant| participant.is_dirty)
                {
                    self.serve_session(key);
                }
                continue;
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
