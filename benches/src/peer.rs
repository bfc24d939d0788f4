//! A client with a UDP socket of its own, for a real daemon.
//!
//! A peer takes the kernel's word for when a datagram arrived (`SO_TIMESTAMPNS`), so that it does not
//! matter to a latency when the peer's own thread had its turn. A peer that only counts looks at the
//! header of an RTP packet and nothing else: thousands of them must not cost more than the daemon.

use std::{
    io::{self, IoSliceMut},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::AsRawFd as _,
    time::{Duration, Instant, SystemTime},
};

use nix::{
    cmsg_space,
    sys::{
        socket::{
            ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, setsockopt, sockopt,
        },
        time::TimeSpec,
    },
};
use stoa_core::ParticipantId;

use crate::client::{Client, ClientError, Outgoing, Voice, is_rtp};

/// How many datagrams are taken from a socket at once.
const BATCH: usize = 16;

/// Longer than any datagram of the node.
const DATAGRAM_BYTES: usize = 2_048;

/// Why a peer cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("a socket: {0}")]
    Socket(#[from] io::Error),
    #[error("a socket: {0}")]
    SystemCall(#[from] nix::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What a peer does with the RTP packets that it receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attention {
    /// Counts them.
    Count,
    /// Gives them to its session, which decrypts them.
    Listen,
}

/// A voice, and when its packet arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) voice: Voice,
    /// By the kernel's clock, when the datagram came to the socket.
    pub(crate) arrived: SystemTime,
}

impl Heard {
    /// How long ago the speaker had written the packet when it arrived.
    pub(crate) fn latency(&self) -> Duration {
        let written = SystemTime::UNIX_EPOCH + Duration::from_nanos(self.voice.stamp);
        self.arrived.duration_since(written).unwrap_or_default()
    }
}

/// What one batch of datagrams brought.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// RTP packets.
    pub(crate) packets: u64,
    /// Bytes in the largest of them.
    pub(crate) largest: usize,
    /// Whether there may be more.
    pub(crate) more: bool,
}

/// One peer.
pub(crate) struct Peer {
    client: Client,
    attention: Attention,
    pub(crate) socket: UdpSocket,
}

/// Where datagrams are received into; one for all peers of a thread.
pub(crate) struct Inbox {
    headers: MultiHeaders<SockaddrIn>,
    bytes: Vec<u8>,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(BATCH, Some(cmsg_space!(TimeSpec))),
            bytes: vec![0; BATCH * DATAGRAM_BYTES],
        }
    }
}

impl Peer {
    /// A peer with a socket on loopback and an offer of so many audio lines.
    ///
    /// # Errors
    /// [`PeerError`] if there are no sockets left.
    pub(crate) fn open(
        id: ParticipantId,
        lines: usize,
        attention: Attention,
    ) -> Result<Self, PeerError> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(Self {
            client: Client::new(Instant::now(), id, socket.local_addr()?, lines),
            attention,
            socket,
        })
    }

    pub(crate) fn offer(&self) -> &str {
        &self.client.offer
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.client.address
    }

    /// Whether ICE and DTLS are done, on its own side.
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connected
    }

    /// When its session wants its next turn.
    pub(crate) fn due(&self) -> Instant {
        self.client.due
    }

    /// Takes the node's answer.
    pub(crate) fn accept(&mut self, answer: &str) -> Result<(), PeerError> {
        Ok(self.client.accept(answer)?)
    }

    /// Takes what waits at the socket, one batch of it, and hands on the voices that it heard.
    pub(crate) fn receive(
        &mut self,
        inbox: &mut Inbox,
        mut heard: impl FnMut(Heard),
    ) -> Result<Batch, PeerError> {
        let Inbox { headers, bytes } = inbox;
        let mut chunks = bytes.chunks_exact_mut(DATAGRAM_BYTES);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(chunks.next().unwrap_or_default())]);
        let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        let messages = match recvmmsg(fd, headers, slices.iter_mut(), flags, None) {
            Err(nix::Error::EAGAIN) => return Ok(Batch::default()),
            messages => messages?,
        };
        let mut batch = Batch::default();
        let (mut received, mut is_moved) = (0, false);
        for message in messages {
            received += 1;
            let bytes = message.iovs().next().unwrap_or_default();
            if is_rtp(bytes) {
                batch.packets += 1;
                batch.largest = batch.largest.max(bytes.len());
                if self.attention == Attention::Count {
                    continue;
                }
            }
            let Some(from) = message.address else {
                continue;
            };
            is_moved = true;
            let from = SocketAddr::from((from.ip(), from.port()));
            if let Some(voice) = self.client.receive(Instant::now(), from, bytes)? {
                let arrived = arrival(message.cmsgs()?).unwrap_or_else(SystemTime::now);
                heard(Heard { voice, arrived });
            }
        }
        if is_moved {
            self.send()?;
        }
        batch.more = received == BATCH;
        Ok(batch)
    }

    /// Gives its session its turn.
    pub(crate) fn serve(&mut self, now: Instant) -> Result<(), PeerError> {
        self.client.handle_timeout(now)?;
        self.send()
    }

    /// Says 20 ms, with the time of this moment in it.
    pub(crate) fn speak(&mut self, now: Instant) -> Result<(), PeerError> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let stamp = since.unwrap_or_default().as_nanos();
        self.client
            .write(now, u64::try_from(stamp).unwrap_or_default())?;
        self.send()
    }

    fn send(&mut self) -> Result<(), PeerError> {
        for outgoing in self.client.drain()? {
            let Outgoing {
                destination,
                contents,
            } = outgoing;
            self.socket.send_to(&contents, destination)?;
        }
        Ok(())
    }
}

/// When the kernel took the datagram.
fn arrival(messages: impl Iterator<Item = ControlMessageOwned>) -> Option<SystemTime> {
    let mut messages = messages;
    messages.find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(at) => {
            Some(SystemTime::UNIX_EPOCH + Duration::from(at))
        }
        _ => None,
    })
}
