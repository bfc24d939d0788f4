//! The ports of a worker: one number, for UDP and for TCP.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use crate::{
    advertised::Advertised, config::Config, error::StartError, socket::MediaSocket, tcp::Listener,
};

/// How often another number is tried, where any will do, if the one that is free for UDP is taken for
/// something else.
const ATTEMPTS: usize = 32;

/// What a worker is reached by: of each IP version that is bound one.
pub(crate) struct Ports {
    pub(crate) sockets: Vec<MediaSocket>,
    /// None where TCP is not wanted.
    pub(crate) listeners: Vec<Listener>,
}

impl Ports {
    /// Binds those of this worker.
    ///
    /// # Errors
    /// [`StartError::Socket`].
    pub(crate) fn bind(config: &Config, index: usize) -> Result<Self, StartError> {
        if config.port != 0 {
            // Checked before: the ports of all workers exist.
            let offset = u16::try_from(index).unwrap_or(0);
            return Self::bind_at(config, config.port + offset);
        }
        let mut attempts = (0..ATTEMPTS).map(|_| Self::bind_at(config, 0));
        let is_taken = |error: &StartError| matches!(error, StartError::Socket { source, .. } if source.kind() == io::ErrorKind::AddrInUse);
        let last = attempts.find(|bound| !bound.as_ref().is_err_and(is_taken));
        last.unwrap_or_else(|| Self::bind_at(config, 0))
    }

    /// Where any port will do, all share the first one's.
    fn bind_at(config: &Config, mut port: u16) -> Result<Self, StartError> {
        let mut ports = Self {
            sockets: Vec::with_capacity(config.bind.len()),
            listeners: Vec::new(),
        };
        for &ip in &config.bind {
            let address = SocketAddr::new(ip, port);
            let socket = MediaSocket::bind(address).map_err(|source| StartError::Socket {
                transport: "UDP",
                address,
                source,
            })?;
            port = socket.address().port();
            ports.sockets.push(socket);
        }
        for &ip in config.bind.iter().filter(|_| config.tcp) {
            let address = SocketAddr::new(ip, port);
            let listener = Listener::bind(address).map_err(|source| StartError::Socket {
                transport: "TCP",
                address,
                source,
            })?;
            ports.listeners.push(listener);
        }
        Ok(ports)
    }
}

/// The addresses at which clients reach the worker.
pub(crate) fn candidates(
    index: usize,
    advertised: &[Advertised],
    sockets: &[MediaSocket],
) -> Vec<SocketAddr> {
    let port = |ip: IpAddr| {
        let mut same_version = sockets
            .iter()
            .filter(|socket| socket.address().is_ipv4() == ip.is_ipv4());
        same_version.next().map(|socket| socket.address().port())
    };
    advertised
        .iter()
        .filter_map(|advertised| advertised.for_worker(index, port(advertised.ip)?))
        .collect()
}
