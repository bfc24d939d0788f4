//! Where one peer of a thread is.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use tokio::sync::oneshot;

use crate::{
    network::{Network, Way},
    peer::{Peer, PeerError},
};

slotmap::new_key_type! {
    /// Names a peer of a thread.
    pub(crate) struct SeatKey;
}

/// As good as never: when the session of somebody who waits for nothing wants its turn.
pub(super) const NEVER: Duration = Duration::from_secs(24 * 3_600);

/// One peer's place.
pub(super) struct Seat {
    pub(super) peer: Peer,
    pub(super) group: usize,
    /// At which socket, and who of its peers.
    pub(super) socket: usize,
    pub(super) place: usize,
    /// When the entry among the timers that counts looks at it.
    pub(super) queued: Instant,
    /// Who waits until it is connected.
    pub(super) connected: Option<oneshot::Sender<Result<(), PeerError>>>,
    /// Whether it has begun to speak, or need not.
    pub(super) has_begun: bool,
    network: Option<BadNetwork>,
}

struct BadNetwork {
    began: Instant,
    there: Way,
    back: Way,
}

/// What becomes of a datagram.
pub(super) enum Fate {
    /// It passes.
    Now,
    /// It passes later, after so long.
    Later(Duration),
    /// It is lost.
    Never,
}

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToServer,
    ToPeer,
}

impl Seat {
    pub(super) fn new(
        peer: Peer,
        group: usize,
        (socket, place): (usize, usize),
        network: Option<Network>,
        now: Instant,
    ) -> Self {
        Self {
            has_begun: !peer.speaks(),
            peer,
            group,
            socket,
            place,
            queued: now + NEVER,
            connected: None,
            network: network.map(|network| BadNetwork {
                began: now,
                there: Way::new(network),
                back: Way::new(network),
            }),
        }
    }

    /// What its network does to a datagram.
    pub(super) fn fate(&mut self, direction: Direction, now: Instant, random: &mut StdRng) -> Fate {
        let Some(network) = &mut self.network else {
            return Fate::Now;
        };
        let since = now.saturating_duration_since(network.began);
        let way = match direction {
            Direction::ToServer => &mut network.there,
            Direction::ToPeer => &mut network.back,
        };
        match way.carry(since, random) {
            None => Fate::Never,
            Some(at) if at <= since => Fate::Now,
            Some(at) => Fate::Later(at - since),
        }
    }
}
