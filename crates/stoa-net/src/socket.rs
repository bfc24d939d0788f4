//! One UDP socket of a worker, and what comes in by it, in batches.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::{AsRawFd, RawFd},
};

use mio::{Interest, Registry, Token, unix::SourceFd};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use stoa_core::limits::MAX_DATAGRAM_BYTES;

/// How much the kernel shall hold for the worker while it is busy: about a quarter of a second of
/// 750,000 packets a second, counted with the kernel's own overhead. The kernel may grant less.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// What the kernel grants a media socket for datagrams that wait, in bytes as `net.core.rmem_max` and `wmem_max` count
/// them: the kernel's own overhead comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffers {
    /// What each socket asks for, in each direction.
    pub wanted: usize,
    /// What it gets for what comes in.
    pub receive: usize,
    /// What it gets for what goes out.
    pub send: usize,
}

impl Buffers {
    /// Asks as a media worker does, with a socket on this address and any free port.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn probe(ip: IpAddr) -> io::Result<Self> {
        MediaSocket::bind(SocketAddr::new(ip, 0))?.granted()
    }
}

/// A bound socket.
pub(crate) struct MediaSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
}

/// Room for one batch of datagrams, shared by the sockets of a worker.
pub(crate) struct ReceiveBuffer {
    bytes: Vec<u8>,
    /// The room for each entry of a batch: several datagrams, where the kernel coalesces them.
    stride: usize,
}

/// One received datagram.
pub(crate) struct Datagram<'a> {
    pub(crate) remote: SocketAddr,
    /// The address of ours to which it was sent.
    pub(crate) local: Option<IpAddr>,
    pub(crate) bytes: &'a [u8],
}

impl ReceiveBuffer {
    /// Room for the widest batch of any of the sockets.
    pub(crate) fn for_sockets(sockets: &[MediaSocket]) -> Self {
        let segments = sockets
            .iter()
            .map(|socket| socket.state.gro_segments())
            .max();
        // One byte more than the core takes, so that it sees, and counts, what is too long.
        let stride = segments.unwrap_or(1) * (MAX_DATAGRAM_BYTES + 1);
        Self {
            bytes: vec![0; stride * BATCH_SIZE],
            stride,
        }
    }
}

impl MediaSocket {
    /// Binds.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            // IPv4 has a socket of its own, so that addresses never come in two forms.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = UdpSocket::from(socket);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let address = socket.local_addr()?;
        let this = Self {
            socket,
            state,
            address,
        };
        this.size_buffers();
        Ok(this)
    }

    /// The bound address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for large buffers; says so once where the kernel grants less than half.
    fn size_buffers(&self) {
        let socket = || UdpSockRef::from(&self.socket);
        let granted = self
            .state
            .set_recv_buffer_size(socket(), BUFFER_BYTES)
            .and_then(|()| self.state.set_send_buffer_size(socket(), BUFFER_BYTES))
            .and_then(|()| self.granted());
        match granted {
            Ok(Buffers { receive, send, .. }) if receive.min(send) < BUFFER_BYTES / 2 => {
                tracing::warn!(
                    receive,
                    send,
                    wanted = BUFFER_BYTES,
                    "small UDP buffers: raise net.core.rmem_max and net.core.wmem_max for large rooms"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot size UDP buffers"),
        }
    }

    fn granted(&self) -> io::Result<Buffers> {
        let socket = || UdpSockRef::from(&self.socket);
        // Linux says twice what it grants (socket(7)).
        Ok(Buffers {
            wanted: BUFFER_BYTES,
            receive: self.state.recv_buffer_size(socket())? / 2,
            send: self.state.send_buffer_size(socket())? / 2,
        })
    }

    /// Has the poll report when datagrams wait.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(
            &mut SourceFd(&self.socket.as_raw_fd()),
            token,
            Interest::READABLE,
        )
    }

    /// Receives one batch and hands on its datagrams. Returns `false` when none waited.
    ///
    /// # Errors
    /// What the operating system says, but for "nothing there" and for errors of earlier sends.
    pub(crate) fn receive(
        &self,
        buffer: &mut ReceiveBuffer,
        mut handle: impl FnMut(Datagram<'_>),
    ) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let received = {
            let mut slices = buffer.bytes.chunks_mut(buffer.stride).map(IoSliceMut::new);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| slices.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            match self
                .state
                .recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas)
            {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                // An ICMP message about an earlier datagram: somebody's port is closed.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(true),
                Err(error) => return Err(error),
            }
        };
        for (meta, entry) in metas[..received]
            .iter()
            .zip(buffer.bytes.chunks(buffer.stride))
        {
            for bytes in entry[..meta.len].chunks(meta.stride.max(1)) {
                handle(Datagram {
                    remote: meta.addr,
                    local: meta.dst_ip,
                    bytes,
                });
            }
        }
        Ok(true)
    }

    /// For the system calls of an [`Outbox`](crate::outbox::Outbox).
    pub(crate) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
