//! A datagram on its way out.

use std::net::{IpAddr, SocketAddr};

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

impl Transmit {
    /// What a media session wants sent. From which address of ours, only the node knows.
    pub(crate) fn of_session(transmit: str0m::net::Transmit) -> Self {
        Self {
            destination: transmit.destination,
            source: None,
            contents: transmit.contents.into(),
        }
    }
}
