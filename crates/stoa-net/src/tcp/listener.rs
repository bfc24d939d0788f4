//! A TCP port of a worker.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections the kernel keeps until they are accepted.
const BACKLOG: i32 = 1_024;

/// A bound port.
pub(crate) struct Listener {
    pub(super) socket: mio::net::TcpListener,
}

impl Listener {
    /// Binds.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        if address.is_ipv6() {
            // As with UDP: addresses never come in two forms.
            socket.set_only_v6(true)?;
        }
        // Connections of a process that was here before may take a minute to vanish.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self {
            socket: mio::net::TcpListener::from_std(socket.into()),
        })
    }
}
