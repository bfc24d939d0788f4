//! One port number for TCP and UDP.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use crate::bind_error::BindError;

/// How often another port is tried when a free TCP port is taken for UDP.
const PORT_ATTEMPTS: usize = 16;

/// The sockets of one address.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) address: SocketAddr,
    pub(super) tcp: TcpListener,
    pub(super) udp: UdpSocket,
}

/// Binds both, with the same port number.
pub(super) fn bind(address: SocketAddr) -> Result<Sockets, BindError> {
    let mut attempts = PORT_ATTEMPTS;
    loop {
        attempts -= 1;
        let tcp = TcpListener::bind(address).map_err(failed("TCP", address))?;
        let bound = tcp.local_addr().map_err(failed("TCP", address))?;
        match UdpSocket::bind(bound) {
            Ok(udp) => {
                tcp.set_nonblocking(true).map_err(failed("TCP", bound))?;
                return Ok(Sockets {
                    address: bound,
                    tcp,
                    udp,
                });
            }
            // The system picks TCP's port without a look at UDP's.
            Err(_) if address.port() == 0 && attempts > 0 => {}
            Err(source) => return Err(failed("UDP", bound)(source)),
        }
    }
}

fn failed(transport: &'static str, address: SocketAddr) -> impl Fn(io::Error) -> BindError {
    move |source| BindError::Address {
        address,
        transport,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn both_have_the_same_port() {
        let sockets = bind(LOCAL).expect("there are free ports");
        let udp = sockets.udp.local_addr().expect("it is bound");
        assert_eq!(sockets.address, udp);
        assert_ne!(udp.port(), 0);
    }

    #[test]
    fn a_port_in_use_is_named() {
        let tcp = TcpListener::bind(LOCAL).expect("there are free ports");
        let taken = tcp.local_addr().expect("it is bound");
        let error = bind(taken).expect_err("it is taken");
        assert!(
            matches!(error, BindError::Address { transport: "TCP", address, .. } if address == taken)
        );

        let udp = UdpSocket::bind(LOCAL).expect("there are free ports");
        let taken = udp.local_addr().expect("it is bound");
        let error = bind(taken).expect_err("it is taken");
        assert!(
            matches!(error, BindError::Address { transport: "UDP", address, .. } if address == taken)
        );
    }
}
