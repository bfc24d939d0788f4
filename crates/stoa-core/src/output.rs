//! What the core wants done.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use crate::event::RoomEvent;

/// One thing to do, from [`Node::poll_output`](crate::Node::poll_output).
#[derive(Debug)]
pub enum Output {
    /// Send this datagram.
    Transmit(Transmit),
    /// Tell whoever wants to know.
    Event(RoomEvent),
    /// Nothing to do until then, except when something comes in.
    Timeout {
        /// When to call [`Node::handle_timeout`](crate::Node::handle_timeout). `None`: nothing is
        /// due ever.
        at: Option<Instant>,
        /// What is due then.
        why: TimeoutReason,
    },
}

/// A UDP datagram to send.
#[derive(Debug)]
pub struct Transmit {
    /// To whom.
    pub destination: SocketAddr,
    /// From which address of ours, where it matters: the one that the other side sent to.
    pub source: Option<IpAddr>,
    /// The bytes. [`Node::recycle`](crate::Node::recycle) takes them back when they are sent.
    pub contents: Vec<u8>,
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
}
