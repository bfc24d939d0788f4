//! The addresses at which clients are told to reach the workers.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// An address at which clients reach the first worker; each further worker has the next port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advertised {
    /// The address.
    pub ip: IpAddr,
    /// The port, where it is not the bound one: behind a 1:1 NAT that maps ports, too.
    pub port: Option<u16>,
}

/// A text that is not an address to advertise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IP address or ADDRESS:PORT ([ADDRESS]:PORT for IPv6)")]
pub struct InvalidAdvertised(String);

impl FromStr for Advertised {
    type Err = InvalidAdvertised;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse() {
            return Ok(Self { ip, port: None });
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => Ok(Self {
                ip: address.ip(),
                port: Some(address.port()),
            }),
            _ => Err(InvalidAdvertised(text.to_owned())),
        }
    }
}

impl fmt::Display for Advertised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

impl Advertised {
    /// The address for worker `index`, whose bound port is `bound`. `None`: beyond the last port.
    pub(crate) fn for_worker(self, index: usize, bound: u16) -> Option<SocketAddr> {
        let port = match self.port {
            Some(first) => first.checked_add(u16::try_from(index).ok()?)?,
            None => bound,
        };
        Some(SocketAddr::new(self.ip, port))
    }
}
