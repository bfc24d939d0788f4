//! The lobby: where sessions are set up before they move to their worker.
//!
//! To answer an offer and to agree on keys costs hundreds of times what a packet costs, nearly all of it
//! public-key arithmetic. Done where packets are forwarded, a storm of joins would be heard. So a lobby does
//! it, on a thread of its own. Datagrams come to the worker's port all the same; the seat there lets in
//! whoever has shown a valid ICE credential, hands their datagrams on, and sends what the session wants sent.
//! When the session is keyed it moves to the seat, and the lobby forgets it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use ahash::RandomState;
use rand::{Rng, SeedableRng, rngs::StdRng};
use slotmap::SlotMap;

use crate::{
    contain::contain_counting,
    egress::EgressPath,
    error::Error,
    event::LeaveReason,
    ids::{LobbyId, WorkerId},
    join::{Join, Prepared},
    keys::{LobbyKey, SessionKey},
    limits::MAX_AUDIO_SLOTS,
    message::{Content, FromLobby, Handed, Message, ToLobby},
    node::Certificate,
    seat::{Place, Ticket},
    session::{
        Drained, Session,
        keys::crypto,
        negotiate::{Negotiated, SessionTemplate, negotiate},
    },
    timers::Timers,
    transmit::Transmit,
};

/// How a lobby is set up.
#[derive(Clone)]
pub struct LobbyConfig {
    /// Which of its process's lobbies it is.
    pub lobby: LobbyId,
    /// To which workers sessions can move. Each one's place in the list is its number.
    pub venues: Vec<Venue>,
    /// The certificate for DTLS.
    pub certificate: Certificate,
    /// How packets for listeners are written and encrypted.
    pub egress: EgressPath,
    /// How many sessions may be here at a time.
    pub sessions: usize,
    /// How long a session may be here: longer than a node waits for one
    /// ([`Limits::connect_timeout`](crate::Limits::connect_timeout)).
    pub patience: Duration,
}

/// A worker, as its future participants have to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venue {
    /// The UDP addresses at which clients reach it, as in
    /// [`NodeConfig::candidates`](crate::NodeConfig::candidates).
    pub candidates: Vec<SocketAddr>,
    /// Whether it takes TCP connections at the same addresses, as in
    /// [`NodeConfig::tcp`](crate::NodeConfig::tcp).
    pub tcp: bool,
}

/// What a lobby has counted since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LobbyStats {
    /// Sessions that are here now.
    pub sessions: usize,
    /// Requests that were prepared.
    pub prepared: u64,
    /// Requests that were refused because it was full.
    pub refused: u64,
    /// Sessions that were keyed and have moved on.
    pub keyed: u64,
    /// Sessions that ended before they were keyed, given up by either side or by the clock.
    pub lost: u64,
    /// Datagrams that a session refused.
    pub datagrams_refused: u64,
    /// Panics that were contained: each ended one session.
    pub panics: u64,
}

/// What a lobby wants done, from [`Lobby::poll_output`].
pub enum LobbyOutput {
    /// Say this to the node of a worker.
    Message {
        /// To whom.
        to: WorkerId,
        /// What.
        message: Message,
    },
    /// Nothing to do until then, except when something comes in. `None`: nothing is due ever.
    Timeout(Option<Instant>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum TimerKey {
    Session(LobbyKey),
    Patience(LobbyKey),
}

/// A session that is being set up.
struct Waiting {
    session: Session,
    /// Where its datagrams come from. Nothing before the first one: it has nothing to send before that.
    seat: Option<(WorkerId, SessionKey)>,
}

/// Sessions that are being set up. Driven like a [`Node`](crate::Node).
pub struct Lobby {
    lobby: LobbyId,
    templates: Vec<SessionTemplate>,
    egress: EgressPath,
    capacity: usize,
    patience: Duration,
    rng: StdRng,
    sessions: SlotMap<LobbyKey, Waiting>,
    timers: Timers<TimerKey>,
    letters: VecDeque<LobbyOutput>,
    /// The latest time that was handed in.
    now: Instant,
    /// Kept for its allocations.
    drained: Drained,
    stats: LobbyStats,
}

impl Lobby {
    /// An empty lobby. All its randomness comes from `seed`, as with [`Node::new`](crate::Node::new).
    pub fn new(now: Instant, config: LobbyConfig, seed: [u8; 32]) -> Self {
        let mut rng = StdRng::from_seed(seed);
        let hasher =
            RandomState::with_seeds(rng.random(), rng.random(), rng.random(), rng.random());
        let crypto = Arc::new(crypto());
        let template = |venue: Venue| SessionTemplate {
            crypto: Arc::clone(&crypto),
            certificate: config.certificate.0.clone(),
            candidates: venue.candidates,
            tcp: venue.tcp,
            egress: config.egress,
        };
        Self {
            lobby: config.lobby,
            templates: config.venues.into_iter().map(template).collect(),
            egress: config.egress,
            capacity: config.sessions,
            patience: config.patience,
            rng,
            sessions: SlotMap::with_key(),
            timers: Timers::new(hasher),
            letters: VecDeque::new(),
            now,
            drained: Drained::default(),
            stats: LobbyStats::default(),
        }
    }

    /// What has been counted.
    pub fn stats(&self) -> LobbyStats {
        LobbyStats {
            sessions: self.sessions.len(),
            ..self.stats
        }
    }

    /// Answers the offer of a request whose participant is to have their seat at this worker. The room's
    /// home has to admit them next ([`Node::admit`](crate::Node::admit)).
    ///
    /// # Errors
    /// [`Error::LobbyFull`] and [`Error::Offer`].
    ///
    /// # Panics
    /// If there is no such worker.
    pub fn prepare(
        &mut self,
        now: Instant,
        join: &Join,
        seat: WorkerId,
    ) -> Result<Prepared, Error> {
        self.advance(now);
        if self.sessions.len() >= self.capacity {
            self.stats.refused += 1;
            return Err(Error::LobbyFull {
                limit: self.capacity,
            });
        }
        let template = &self.templates[usize::from(seat.0)];
        // How many slots the room has, its home knows.
        let (slots, mode) = (MAX_AUDIO_SLOTS, join.audio_mode);
        let (now, rng) = (self.now, &mut self.rng);
        let negotiated = contain_counting(&mut self.stats.panics, || {
            negotiate(template, now, rng, &join.offer, slots, mode)
        })??;
        self.stats.prepared += 1;
        Ok(Prepared::new(negotiated, seat, |negotiated| {
            Place::Lobby(self.take_in(negotiated))
        }))
    }

    /// Forgets somebody who was prepared here and is not admitted after all.
    pub fn turn_away(&mut self, prepared: Prepared) {
        if let Some(ticket) = prepared.ticket() {
            self.forget(ticket.session);
        }
    }

    fn take_in(&mut self, negotiated: Negotiated) -> Ticket {
        let session = self.sessions.insert(Waiting {
            session: Session::new(negotiated, self.egress),
            seat: None,
        });
        self.timers
            .set(TimerKey::Patience(session), self.now + self.patience);
        self.serve(session);
        Ticket {
            lobby: self.lobby,
            session,
        }
    }

    /// Takes what a node says.
    pub fn handle_message(&mut self, now: Instant, message: Message) {
        self.advance(now);
        match message.0 {
            Content::ToLobby(ToLobby::Datagram(handed)) => self.receive(&handed),
            Content::ToLobby(ToLobby::Abandon(session)) => self.forget(session),
            // Of no concern to a lobby: it was carried to the wrong place.
            Content::ToSeat(_) | Content::ToHome(_) | Content::FromLobby(_) => {}
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        // What is due again at once has its turn the next time.
        let due: Vec<_> = std::iter::from_fn(|| self.timers.pop_due(self.now)).collect();
        for key in due {
            match key {
                TimerKey::Session(session) => self.serve(session),
                TimerKey::Patience(session) => self.forget(session),
            }
        }
    }

    /// The next thing to do; [`LobbyOutput::Timeout`] when there is nothing more.
    pub fn poll_output(&mut self) -> LobbyOutput {
        let next = |timers: &mut Timers<_>| LobbyOutput::Timeout(timers.next().map(|(at, _)| at));
        self.letters
            .pop_front()
            .unwrap_or_else(|| next(&mut self.timers))
    }

    fn receive(&mut self, handed: &Handed) {
        let Some(waiting) = self.sessions.get_mut(handed.session) else {
            return;
        };
        waiting.seat = Some(handed.seat);
        let (now, from) = (self.now, (handed.remote, handed.candidate));
        self.with_session(handed.session, |session, drained| {
            session.handle_datagram(now, from, &handed.contents, false, drained);
        });
    }

    fn serve(&mut self, key: LobbyKey) {
        let now = self.now;
        self.with_session(key, |session, drained| session.handle_timeout(now, drained));
    }

    fn with_session(&mut self, key: LobbyKey, mutate: impl FnOnce(&mut Session, &mut Drained)) {
        let Some(waiting) = self.sessions.get_mut(key) else {
            return;
        };
        let mut drained = std::mem::take(&mut self.drained);
        waiting.session.guard(&mut drained, mutate);
        self.stats.panics += u64::from(std::mem::take(&mut drained.panicked));
        let seat = waiting.seat;
        for transmit in drained.transmits.drain(..) {
            self.tell(seat, |seat| {
                FromLobby::Send(seat, Transmit::of_session(transmit))
            });
        }
        self.stats.datagrams_refused += drained.drops.drain(..).count() as u64;
        // Nobody is in a room before they are keyed.
        drained.packets.clear();
        drained.measured = None;
        if let Some(at) = drained.timeout.take() {
            self.timers.set(TimerKey::Session(key), at);
        }
        let (connected, ended) = (std::mem::take(&mut drained.connected), drained.ended.take());
        self.drained = drained;
        match (connected, ended) {
            (_, Some(reason)) => self.fail(key, reason),
            (true, None) => self.move_on(key),
            (false, None) => {}
        }
    }

    fn tell(
        &mut self,
        seat: Option<(WorkerId, SessionKey)>,
        what: impl FnOnce(SessionKey) -> FromLobby,
    ) {
        if let Some((worker, seat)) = seat {
            self.letters.push_back(LobbyOutput::Message {
                to: worker,
                message: Message(Content::FromLobby(what(seat))),
            });
        }
    }

    /// A session is keyed.
    fn move_on(&mut self, key: LobbyKey) {
        if let Some(waiting) = self.remove(key) {
            self.stats.keyed += 1;
            let session = Box::new(waiting.session);
            self.tell(waiting.seat, |seat| FromLobby::Keyed(seat, session));
        }
    }

    fn fail(&mut self, key: LobbyKey, reason: LeaveReason) {
        if let Some(waiting) = self.remove(key) {
            self.stats.lost += 1;
            self.tell(waiting.seat, |seat| FromLobby::Failed(seat, reason));
            // What has panicked may do so once more while it is taken apart.
            let _ = contain_counting(&mut self.stats.panics, || drop(waiting));
        }
    }

    fn forget(&mut self, key: LobbyKey) {
        if self.remove(key).is_some() {
            self.stats.lost += 1;
        }
    }

    fn remove(&mut self, key: LobbyKey) -> Option<Waiting> {
        self.timers.cancel(TimerKey::Session(key));
        self.timers.cancel(TimerKey::Patience(key));
        self.sessions.remove(key)
    }

    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }
}
