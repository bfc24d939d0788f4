//! UDP sockets that serve many peers, and tell when they were too slow.
//!
//! A server tells its clients apart by their addresses, so each peer needs one. On loopback a machine has
//! 16 million of them (127.0.0.0/8): there one socket is the end of [`PEERS_PER_SOCKET`] peers, each with an
//! address of its own and the same port, and one system call takes the packets of all of them. Elsewhere each
//! peer has a socket and a port.
//!
//! When a datagram arrived is the kernel's word (`SO_TIMESTAMPNS`), so that it does not matter to a latency when
//! the tester's own thread had its turn. What the kernel had to drop because the tester did not read is the
//! kernel's word, too (`SO_RXQ_OVFL`).

use std::{
    cell::Cell,
    io::{self, IoSlice, IoSliceMut},
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::AsRawFd as _,
    time::{Duration, SystemTime},
};

use nix::{
    cmsg_space,
    errno::Errno,
    libc,
    sys::{
        socket::{
            ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg,
            sendmsg, setsockopt, sockopt,
        },
        time::TimeSpec,
    },
};

/// How many peers share a socket, where they can: as many datagrams as one system call takes.
pub(crate) const PEERS_PER_SOCKET: usize = 64;

/// Datagrams for one system call.
const BATCH: usize = 64;

/// Longer than any datagram of WebRTC audio.
const DATAGRAM_BYTES: usize = 2_048;

/// What the kernel is asked to hold for the tester: half a second of 64 listeners.
const BUFFER_BYTES: usize = 4 << 20;

/// The first two bytes of the addresses of peers that share sockets.
const NETWORK: [u8; 2] = [127, 64];

/// Where peers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On loopback, many at a socket.
    Loopback,
    /// At this address, each with a socket.
    Address(IpAddr),
}

impl Place {
    /// Where peers are best of a server at this address.
    ///
    /// # Errors
    /// What the operating system says if there is no way to the server.
    pub(crate) fn near(server: SocketAddr) -> io::Result<Self> {
        if server.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            return Ok(Self::Loopback);
        }
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        // Sends nothing: it asks the kernel for the route.
        let probe = UdpSocket::bind((any, 0))?;
        probe.connect(server)?;
        Ok(Self::Address(probe.local_addr()?.ip()))
    }

    /// How many addresses are left alone before one is used again: a server may remember who had it.
    pub(crate) fn spare(self) -> usize {
        match self {
            Self::Loopback => 512,
            Self::Address(_) => 16,
        }
    }

    fn peers_per_socket(self) -> usize {
        match self {
            Self::Loopback => PEERS_PER_SOCKET,
            Self::Address(_) => 1,
        }
    }
}

/// One socket.
pub(crate) struct Socket {
    socket: UdpSocket,
    port: u16,
    place: Place,
    /// What the kernel has dropped, so far.
    dropped: Cell<u64>,
}

/// Where datagrams are received into; one for all sockets of a thread.
pub(crate) struct Inbox {
    headers: MultiHeaders<SockaddrStorage>,
    bytes: Vec<u8>,
}

/// A datagram that has arrived.
pub(crate) struct Datagram<'a> {
    /// At which of the socket's peers.
    pub(crate) peer: usize,
    pub(crate) from: SocketAddr,
    /// When, by the kernel's clock.
    pub(crate) arrived: SystemTime,
    pub(crate) bytes: &'a [u8],
}

impl Inbox {
    pub(crate) fn new() -> Self {
        let space = cmsg_space!(TimeSpec, libc::in_pktinfo, u32);
        Self {
            headers: MultiHeaders::preallocate(BATCH, Some(space)),
            bytes: vec![0; BATCH * DATAGRAM_BYTES],
        }
    }
}

impl Socket {
    /// A socket for so many peers as share one at this place.
    ///
    /// # Errors
    /// What the operating system says: no ports or no file descriptors left, mostly.
    pub(crate) fn open(place: Place) -> io::Result<Self> {
        let ip = match place {
            Place::Loopback => Ipv4Addr::UNSPECIFIED.into(),
            Place::Address(ip) => ip,
        };
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        if place == Place::Loopback {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        }
        // Beyond the system's limit if the tester may; as far as that, if not. With less it works, too,
        // and says what it has lost.
        if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &BUFFER_BYTES)?;
        }
        Ok(Self {
            port: socket.local_addr()?.port(),
            socket,
            place,
            dropped: Cell::new(0),
        })
    }

    /// How many peers it has room for.
    pub(crate) fn peers(&self) -> usize {
        self.place.peers_per_socket()
    }

    /// What the kernel has dropped because nobody read, so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// The descriptor, to wait for.
    pub(crate) fn descriptor(&self) -> i32 {
        self.socket.as_raw_fd()
    }

    /// The address of one of its peers.
    pub(crate) fn address(&self, peer: usize) -> SocketAddr {
        let ip = match self.place {
            Place::Address(ip) => ip,
            Place::Loopback => {
                let [high, low] = (peer as u16 + 1).to_be_bytes();
                Ipv4Addr::new(NETWORK[0], NETWORK[1], high, low).into()
            }
        };
        SocketAddr::new(ip, self.port)
    }

    /// Takes one batch of what waits. Returns whether there may be more.
    ///
    /// # Errors
    /// What the operating system says, but for errors of earlier sends.
    pub(crate) fn receive(
        &self,
        inbox: &mut Inbox,
        mut take: impl FnMut(Datagram<'_>),
    ) -> io::Result<bool> {
        let Inbox { headers, bytes } = inbox;
        let mut chunks = bytes.chunks_exact_mut(DATAGRAM_BYTES);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(chunks.next().unwrap_or_default())]);
        let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        let messages = match recvmmsg(fd, headers, slices.iter_mut(), flags, None) {
            Err(Errno::EAGAIN) => return Ok(false),
            // An ICMP message about an earlier datagram: the server's port is closed.
            Err(Errno::ECONNREFUSED | Errno::EINTR) => return Ok(true),
            messages => messages?,
        };
        let mut received = 0;
        for message in messages {
            received += 1;
            let (mut arrived, mut peer) = (None, 0);
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::ScmTimestampns(at) => {
                        arrived = Some(SystemTime::UNIX_EPOCH + Duration::from(at));
                    }
                    ControlMessageOwned::RxqOvfl(count) => {
                        self.dropped.set(self.dropped.get().max(count.into()));
                    }
                    ControlMessageOwned::Ipv4PacketInfo(info) => {
                        let to = info.ipi_addr.s_addr.to_ne_bytes();
                        let number = u16::from_be_bytes([to[2], to[3]]);
                        peer = usize::from(number.wrapping_sub(1));
                    }
                    _ => {}
                }
            }
            let Some(from) = message.address.as_ref().and_then(address_of) else {
                continue;
            };
            take(Datagram {
                peer,
                from,
                arrived: arrived.unwrap_or_else(SystemTime::now),
                bytes: message.iovs().next().unwrap_or_default(),
            });
        }
        Ok(received == BATCH)
    }

    /// Sends a datagram of one of its peers. Returns whether the kernel took it.
    pub(crate) fn send(&self, peer: usize, to: SocketAddr, bytes: &[u8]) -> bool {
        let (fd, slices) = (self.socket.as_raw_fd(), [IoSlice::new(bytes)]);
        let (to, flags) = (SockaddrStorage::from(to), MsgFlags::MSG_DONTWAIT);
        let sent = match self.address(peer).ip() {
            IpAddr::V4(ip) if self.place == Place::Loopback => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(ip.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                let source = [ControlMessage::Ipv4PacketInfo(&info)];
                sendmsg(fd, &slices, &source, flags, Some(&to))
            }
            _ => sendmsg(fd, &slices, &[], flags, Some(&to)),
        };
        // The server's port being closed is told by its silence.
        matches!(sent, Ok(_) | Err(Errno::ECONNREFUSED))
    }
}

fn address_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::from((v4.ip(), v4.port())));
    }
    let v6 = address.as_sockaddr_in6()?;
    Some(SocketAddr::from((v6.ip(), v6.port())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(socket: &Socket) -> Vec<(usize, SocketAddr, Vec<u8>)> {
        let mut inbox = Inbox::new();
        let mut received = Vec::new();
        let take = |datagram: Datagram<'_>| {
            received.push((datagram.peer, datagram.from, datagram.bytes.to_vec()));
        };
        socket
            .receive(&mut inbox, take)
            .expect("a socket that works");
        received
    }

    #[test]
    fn peers_of_one_socket_have_addresses_of_their_own() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let to = server.local_addr().expect("an address");
        let socket = Socket::open(Place::near(to).expect("a way")).expect("a socket");
        assert_eq!(socket.peers(), PEERS_PER_SOCKET);
        for peer in [0, 1, 63] {
            assert!(socket.send(peer, to, &[7]));
            let (_, from) = server.recv_from(&mut [0; 8]).expect("a datagram");
            assert_eq!(from, socket.address(peer));
            server.send_to(&[peer as u8], from).expect("a way back");
        }
        let received = receive(&socket);
        let peers: Vec<_> = received.iter().map(|(peer, ..)| *peer).collect();
        assert_eq!(peers, [0, 1, 63]);
        assert!(
            received
                .iter()
                .all(|(peer, from, bytes)| { *from == to && bytes[..] == [*peer as u8] })
        );
    }

    #[test]
    fn away_from_loopback_each_peer_has_a_socket() {
        let place = Place::Address(std::net::Ipv6Addr::LOCALHOST.into());
        let socket = Socket::open(place).expect("a socket");
        assert_eq!(socket.peers(), 1);
        let own = socket.address(0);
        assert!(socket.send(0, own, &[1, 2]));
        assert_eq!(receive(&socket), [(0, own, vec![1, 2])]);
    }

    #[test]
    fn what_the_kernel_drops_is_counted() {
        let socket = Socket::open(Place::Loopback).expect("a socket");
        setsockopt(&socket.socket, sockopt::RcvBuf, &4_096).expect("a small buffer");
        let to = socket.address(0);
        let fills = 200;
        for _ in 0..fills {
            assert!(socket.send(1, to, &[0; 1_000]));
        }
        let taken = receive(&socket).len() as u64;
        // The count comes with the next datagram that there was room for.
        assert!(socket.send(1, to, &[0]));
        assert_eq!(receive(&socket).len(), 1);
        assert!(taken > 0 && taken < fills);
        assert_eq!(socket.dropped(), fills - taken);
    }
}
