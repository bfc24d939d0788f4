//! What the core wants done.

use std::{fmt, time::Instant};

use crate::{
    event::RoomEvent,
    ids::WorkerId,
    message::{Message, Peer, Relayed},
    transmit::Transmit,
};

/// One thing to do, from [`Node::poll_output`](crate::Node::poll_output).
pub enum Output {
    /// Send this datagram.
    Transmit(Transmit),
    /// Tell whoever wants to know.
    Event(RoomEvent),
    /// Say this to another node or a lobby of the process. A node that is alone never does.
    Message {
        /// To whom.
        to: Peer,
        /// What.
        message: Message,
    },
    /// Hand this on to another node of the process. A node that is alone never does.
    Relay {
        /// To whom.
        to: WorkerId,
        /// What.
        packet: Relayed,
    },
    /// Nothing to do until then, except when something comes in.
    Timeout {
        /// When to call [`Node::handle_timeout`](crate::Node::handle_timeout). `None`: nothing is
        /// due ever.
        at: Option<Instant>,
        /// What is due then.
        why: TimeoutReason,
    },
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit(transmit) => f.debug_tuple("Transmit").field(transmit).finish(),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
            Self::Message { to, .. } => f.debug_tuple("Message").field(to).finish(),
            Self::Relay { to, .. } => f.debug_tuple("Relay").field(to).finish(),
            Self::Timeout { at, why } => f.debug_tuple("Timeout").field(at).field(why).finish(),
        }
    }
}

/// What a timeout is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutReason {
    /// Nothing is due.
    Idle,
    /// A session's own timer: ICE, DTLS, or RTCP.
    Session,
    /// Somebody may be gone, or has not connected in time.
    Liveness,
    /// A room's speakers are to be ranked.
    Ranking,
    /// A listener's sender report is due.
    Report,
    /// A room may have been empty or idle for long enough.
    Closing,
}
