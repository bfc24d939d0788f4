//! The kernel's floor: ready-made datagrams handed over in large batches, to sockets whose owners are
//! awake and read them.

use std::{
    io::IoSlice,
    net::{SocketAddr, SocketAddrV4, UdpSocket},
    os::fd::AsRawFd as _,
    time::{Duration, Instant},
};

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, sendmmsg};

use crate::{report::Samples, swarm::FRAME};

use super::{FloorError, each, thread_time};

/// How many datagrams go to the kernel at once.
const BATCH: usize = 256;

/// What the floor is measured with.
pub(crate) struct Plan<'a> {
    /// One datagram goes to each of them in a burst.
    pub(crate) destinations: &'a [SocketAddr],
    /// The size of one.
    pub(crate) datagram_bytes: usize,
    /// As many bursts in 20 ms as there are speakers, evenly spread.
    pub(crate) speakers: u32,
    pub(crate) bursts: u32,
}

/// Microseconds of this thread for each datagram, one sample for each burst.
///
/// # Errors
/// [`FloorError::Socket`], [`FloorError::SystemCall`].
pub(crate) fn measure(plan: &Plan<'_>, progress: impl Fn()) -> Result<Samples, FloorError> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    // It looks like an RTP packet, so that those who count take it for one.
    let mut datagram = vec![0x55; plan.datagram_bytes.max(2)];
    datagram[..2].copy_from_slice(&[0x80, 111]);
    let slices = [IoSlice::new(&datagram)];
    let to = |address: &SocketAddr| match address {
        SocketAddr::V4(address) => Some(Some(SockaddrIn::from(SocketAddrV4::new(
            *address.ip(),
            address.port(),
        )))),
        SocketAddr::V6(_) => None,
    };
    let destinations: Vec<_> = plan.destinations.iter().filter_map(to).collect();
    let mut headers = MultiHeaders::preallocate(BATCH, None);
    let apart = FRAME / plan.speakers.max(1);
    let mut next = Instant::now();
    let mut samples = Vec::new();
    for _ in 0..plan.bursts {
        // bounded: less than a frame
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += apart;
        let began = thread_time()?;
        for batch in destinations.chunks(BATCH) {
            send(&socket, &mut headers, &slices, batch)?;
        }
        let spent: Duration = thread_time()? - began;
        samples.push(each(spent, destinations.len()));
        progress();
    }
    Ok(Samples::new(samples))
}

fn send(
    socket: &UdpSocket,
    headers: &mut MultiHeaders<SockaddrIn>,
    slices: &[IoSlice<'_>; 1],
    mut batch: &[Option<SockaddrIn>],
) -> Result<(), FloorError> {
    while !batch.is_empty() {
        let messages = std::iter::repeat_n(slices, batch.len());
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::empty());
        let sent = sendmmsg(fd, headers, messages, batch, [], flags)?.count();
        batch = &batch[sent..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_destination_gets_one_datagram_in_a_burst() -> Result<(), Box<dyn std::error::Error>> {
        let sockets = (0..300)
            .map(|_| UdpSocket::bind("127.0.0.1:0"))
            .collect::<Result<Vec<_>, _>>()?;
        let destinations = sockets
            .iter()
            .map(UdpSocket::local_addr)
            .collect::<Result<Vec<_>, _>>()?;
        let plan = Plan {
            destinations: &destinations,
            datagram_bytes: 134,
            speakers: 1,
            bursts: 2,
        };
        assert_eq!(measure(&plan, || ())?.count(), 2);
        for socket in &sockets {
            socket.set_nonblocking(true)?;
            let mut buffer = [0; 200];
            for _ in 0..2 {
                assert_eq!(socket.recv(&mut buffer)?, 134);
            }
            assert!(socket.recv(&mut buffer).is_err());
        }
        Ok(())
    }
}
