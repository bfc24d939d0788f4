//! Datagrams on their way out of one socket: many for one system call (`sendmmsg`), and a bounded place
//! to wait where the kernel has no room.

use std::{
    collections::VecDeque,
    io::IoSlice,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::RawFd,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    libc,
    sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg},
};
use stoa_core::Transmit;

/// Datagrams for one system call. From here on a larger batch saves less than one in a hundred of what
/// the kernel takes for a datagram.
pub(crate) const BATCH: usize = 64;

/// How many datagrams wait for room in the kernel: 20 ms of a room of 4,000, or half a millisecond of a
/// fast network card. When there are more, the oldest are dropped, which are of least use.
pub(crate) const MAX_WAITING: usize = 4_096;

/// How long they wait. Older audio is of no use, and commands wait with them.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// What became of datagrams on their way out.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    /// Bytes of them, without the headers of UDP and IP.
    pub(crate) bytes: u64,
    /// The kernel had no room for too long.
    pub(crate) buffer_full: u64,
    /// The operating system refused: no route, for example.
    pub(crate) failed: u64,
}

/// Datagrams that leave by one socket.
pub(crate) struct Outbox {
    waiting: VecDeque<Transmit>,
    /// Since when the kernel has no room.
    blocked_since: Option<Instant>,
    /// Headers without and with a source address: the room for that has to be filled.
    plain: MultiHeaders<SockaddrStorage>,
    sourced: MultiHeaders<SockaddrStorage>,
    pub(crate) counts: Counts,
}

impl Outbox {
    /// For a socket of this IP version.
    pub(crate) fn new(is_ipv4: bool) -> Self {
        let space = match is_ipv4 {
            true => nix::cmsg_space!(libc::in_pktinfo),
            false => nix::cmsg_space!(libc::in6_pktinfo),
        };
        Self {
            waiting: VecDeque::with_capacity(BATCH),
            blocked_since: None,
            plain: MultiHeaders::preallocate(BATCH, None),
            sourced: MultiHeaders::preallocate(BATCH, Some(space)),
            counts: Counts::default(),
        }
    }

    /// Takes a datagram. Returns whether a batch is full that the kernel may have room for.
    pub(crate) fn push(&mut self, transmit: Transmit, recycle: impl FnOnce(Vec<u8>)) -> bool {
        if self.waiting.len() >= MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.counts.buffer_full += 1;
            recycle(oldest.contents);
        }
        self.waiting.push_back(transmit);
        self.waiting.len() >= BATCH && self.blocked_since.is_none()
    }

    /// How many datagrams wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether something waits until the kernel has room.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked_since.is_some()
    }

    /// Sends what waits, as far as the kernel has room.
    pub(crate) fn send(&mut self, socket: RawFd, now: Instant, mut recycle: impl FnMut(Vec<u8>)) {
        while !self.waiting.is_empty() {
            let gone = match self.send_batch(socket) {
                Ok(sent) => {
                    let bytes = |transmit: &Transmit| transmit.contents.len() as u64;
                    self.counts.sent += sent as u64;
                    self.counts.bytes += self.waiting.iter().take(sent).map(bytes).sum::<u64>();
                    sent
                }
                Err(Errno::EAGAIN | Errno::ENOBUFS) => {
                    self.wait(now, recycle);
                    return;
                }
                Err(Errno::EINTR) => 0,
                // The first of them cannot be sent; those behind it may.
                Err(error) => {
                    tracing::debug!(%error, "a datagram could not be sent");
                    self.counts.failed += 1;
                    1
                }
            };
            let gone = self.waiting.drain(..gone);
            gone.for_each(|transmit| recycle(transmit.contents));
        }
        self.blocked_since = None;
    }

    fn wait(&mut self, now: Instant, mut recycle: impl FnMut(Vec<u8>)) {
        let since = *self.blocked_since.get_or_insert(now);
        if now.saturating_duration_since(since) < LONGEST_WAIT {
            return;
        }
        self.blocked_since = None;
        self.counts.buffer_full += self.waiting.len() as u64;
        let gone = self.waiting.drain(..);
        gone.for_each(|transmit| recycle(transmit.contents));
    }

    /// Sends the first datagrams that leave from the same address of ours. Returns how many.
    fn send_batch(&mut self, socket: RawFd) -> nix::Result<usize> {
        let Some(source) = self.waiting.front().map(|transmit| transmit.source) else {
            return Ok(0);
        };
        let batch = || {
            let waiting = self.waiting.iter().take(BATCH);
            waiting.take_while(move |transmit| transmit.source == source)
        };
        let mut contents = batch().map(|transmit| [IoSlice::new(&transmit.contents)]);
        let mut destinations =
            batch().map(|transmit| SockaddrStorage::from(transmit.destination.address));
        let count = batch().count();
        let slices: [[IoSlice<'_>; 1]; BATCH] =
            std::array::from_fn(|_| contents.next().unwrap_or([IoSlice::new(&[])]));
        let destinations: [Option<SockaddrStorage>; BATCH] =
            std::array::from_fn(|_| destinations.next());
        let (slices, destinations) = (&slices[..count], &destinations[..count]);
        let flags = MsgFlags::empty();
        let (plain, sourced) = (&mut self.plain, &mut self.sourced);
        Ok(match source {
            None => sendmmsg(socket, plain, slices, destinations, [], flags)?.count(),
            Some(IpAddr::V4(address)) => {
                let info = from_ipv4(address);
                let source = [ControlMessage::Ipv4PacketInfo(&info)];
                sendmmsg(socket, sourced, slices, destinations, source, flags)?.count()
            }
            Some(IpAddr::V6(address)) => {
                let info = from_ipv6(address);
                let source = [ControlMessage::Ipv6PacketInfo(&info)];
                sendmmsg(socket, sourced, slices, destinations, source, flags)?.count()
            }
        })
    }
}

/// By which address a datagram leaves; the interface follows from the route.
fn from_ipv4(address: Ipv4Addr) -> libc::in_pktinfo {
    libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: libc::in_addr {
            s_addr: u32::from_ne_bytes(address.octets()),
        },
        ipi_addr: libc::in_addr { s_addr: 0 },
    }
}

fn from_ipv6(address: Ipv6Addr) -> libc::in6_pktinfo {
    libc::in6_pktinfo {
        ipi6_addr: libc::in6_addr {
            s6_addr: address.octets(),
        },
        ipi6_ifindex: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, os::fd::AsRawFd};

    use super::*;

    fn to(socket: &UdpSocket, source: Option<IpAddr>, number: u32) -> Transmit {
        Transmit {
            destination: socket.local_addr().unwrap().into(),
            source,
            contents: number.to_be_bytes().to_vec(),
        }
    }

    fn received(socket: &UdpSocket) -> (u32, IpAddr) {
        let mut bytes = [0; 4];
        let (_, from) = socket.recv_from(&mut bytes).unwrap();
        (u32::from_be_bytes(bytes), from.ip())
    }

    /// More than one batch, to several sockets, from changing addresses of ours.
    #[test]
    fn everything_leaves_in_order_and_from_the_address_it_should() {
        for bind in ["127.0.0.1:0", "[::1]:0"] {
            let sender = UdpSocket::bind(bind).unwrap();
            let own = sender.local_addr().unwrap().ip();
            let receivers = [(); 3].map(|()| UdpSocket::bind(bind).unwrap());
            let mut outbox = Outbox::new(own.is_ipv4());
            let mut recycled = 0;
            for number in 0..300 {
                let source = (number % 100 < 50).then_some(own);
                let transmit = to(&receivers[number as usize % 3], source, number);
                outbox.push(transmit, |_| recycled += 1);
            }
            outbox.send(sender.as_raw_fd(), Instant::now(), |_| recycled += 1);
            assert_eq!((outbox.counts.sent, recycled), (300, 300));
            assert_eq!(outbox.counts.bytes, 4 * 300);
            for number in 0..300 {
                let receiver = &receivers[number as usize % 3];
                assert_eq!(received(receiver), (number, own));
            }
        }
    }

    #[test]
    fn one_that_cannot_be_sent_stands_in_nobodys_way() {
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut outbox = Outbox::new(true);
        let mut too_long = to(&receiver, None, 0);
        too_long.contents = vec![0; 70_000];
        for transmit in [to(&receiver, None, 1), too_long, to(&receiver, None, 2)] {
            outbox.push(transmit, drop);
        }
        outbox.send(sender.as_raw_fd(), Instant::now(), drop);
        assert_eq!((outbox.counts.sent, outbox.counts.failed), (2, 1));
        assert_eq!([received(&receiver).0, received(&receiver).0], [1, 2]);
    }

    /// A queue that is full drops its oldest; what has waited for too long goes as a whole.
    #[test]
    fn what_waits_for_the_kernel_is_bounded_in_number_and_time() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut outbox = Outbox::new(true);
        let now = Instant::now();
        outbox.push(to(&receiver, None, 0), drop);
        outbox.wait(now, drop);
        assert!(outbox.is_blocked());
        let mut recycled = 0;
        for number in 1..=MAX_WAITING as u32 {
            assert!(!outbox.push(to(&receiver, None, number), |_| recycled += 1));
        }
        assert_eq!((outbox.counts.buffer_full, recycled), (1, 1));
        let oldest = outbox.waiting.front().unwrap();
        assert_eq!(oldest.contents, 1_u32.to_be_bytes());
        outbox.wait(now + LONGEST_WAIT, drop);
        assert!(!outbox.is_blocked());
        assert_eq!(outbox.counts.buffer_full, 1 + MAX_WAITING as u64);
    }
}
