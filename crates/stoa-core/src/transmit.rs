//! A datagram on its way out.

use std::net::IpAddr;

use str0m::net::Protocol;

use crate::endpoint::{Endpoint, Transport};

/// A datagram to send.
#[derive(Debug)]
pub struct Transmit {
    /// To whom.
    pub destination: Endpoint,
    /// From which address of ours, where it matters: the one that the other side sent to.
    pub source: Option<IpAddr>,
    /// The bytes. [`Node::recycle`](crate::Node::recycle) takes them back when they are sent.
    pub contents: Vec<u8>,
}

impl Transmit {
    /// What a media session wants sent. From which address of ours, only the node knows.
    pub(crate) fn of_session(transmit: str0m::net::Transmit) -> Self {
        let destination = Endpoint {
            // A session has no other candidates than these.
            transport: match transmit.proto {
                Protocol::Udp => Transport::Udp,
                Protocol::Tcp | Protocol::SslTcp | Protocol::Tls => Transport::Tcp,
            },
            address: transmit.destination,
        };
        Self {
            destination,
            source: None,
            contents: transmit.contents.into(),
        }
    }
}
