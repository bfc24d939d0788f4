//! Where a client is: an address, and how datagrams travel there.

use std::{fmt, net::SocketAddr};

use stoa_redact::ClientAddress;
use str0m::net::Protocol;

/// How datagrams travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Each by itself.
    Udp,
    /// In a connection that the client has opened, each behind its length (RFC 4571, RFC 6544).
    Tcp,
}

/// Where a client is. The same address over another transport is another place: it may be somebody else's. It shows as
/// much of itself as a log may have ([`ClientAddress`]).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// How datagrams travel there.
    pub transport: Transport,
    /// The address.
    pub address: SocketAddr,
}

impl Endpoint {
    /// The client's end of a TCP connection.
    pub fn tcp(address: SocketAddr) -> Self {
        Self {
            transport: Transport::Tcp,
            address,
        }
    }
}

/// An address is one of UDP where nothing else is said.
impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self {
            transport: Transport::Udp,
            address,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        write!(f, "{name} {}", ClientAddress::from(self.address))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Transport> for Protocol {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
        }
    }
}
