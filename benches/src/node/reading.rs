//! Clocks and counters, read before and after something.

use std::{
    collections::HashSet,
    fs,
    time::{Duration, Instant},
};

use nix::time::{ClockId, clock_gettime};

use crate::{BenchError, daemon::Daemon};

use super::{
    NodeError,
    crowd::{Crowd, Heard},
};

/// From which share of a processor on a thread of peers is taken to have had no time to spare.
const BUSY: f64 = 0.9;

/// All of them at one moment.
pub(super) struct Reading {
    at: Instant,
    daemon: Duration,
    /// This process, so the peers and the calls.
    peers: Duration,
    listeners: Duration,
    joiners: Duration,
    /// Datagrams that found no room in a listener's socket.
    dropped: u64,
    heard: Heard,
}

/// The difference of two readings.
pub(super) struct Window {
    pub(super) time: Duration,
    /// The daemon's processor time.
    pub(super) daemon: Duration,
    /// The peers' processor time, all threads.
    pub(super) peers: Duration,
    listeners: Duration,
    joiners: Duration,
    pub(super) dropped: u64,
    pub(super) heard: Heard,
}

impl Reading {
    pub(super) fn take(daemon: &Daemon, crowd: &Crowd) -> Result<Self, BenchError> {
        let own = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_err(NodeError::Limit)?;
        Ok(Self {
            at: Instant::now(),
            daemon: daemon.cpu()?,
            peers: own.into(),
            listeners: crowd.listeners.counts()?.cpu,
            joiners: crowd.joiners.counts()?.cpu,
            dropped: dropped(&crowd.ports)?,
            heard: crowd.counts()?,
        })
    }
}

impl Window {
    pub(super) fn between(before: Reading, after: Reading) -> Self {
        Self {
            time: after.at - before.at,
            daemon: after.daemon - before.daemon,
            peers: after.peers - before.peers,
            listeners: after.listeners - before.listeners,
            joiners: after.joiners - before.joiners,
            dropped: after.dropped - before.dropped,
            heard: after.heard.since(&before.heard),
        }
    }

    /// Of how many processors the daemon had the time.
    pub(super) fn daemon_share(&self) -> f64 {
        share(self.daemon, self.time)
    }

    /// The same for the peers.
    pub(super) fn peers_share(&self) -> f64 {
        share(self.peers, self.time)
    }

    /// Whether the peers could not keep up: then the figures are theirs and not the daemon's.
    pub(super) fn peers_were_busy(&self) -> bool {
        let threads = [self.listeners, self.joiners];
        self.dropped > 0 || threads.iter().any(|&cpu| share(cpu, self.time) > BUSY)
    }
}

fn share(cpu: Duration, time: Duration) -> f64 {
    cpu.as_secs_f64() / time.as_secs_f64()
}

/// How many datagrams the kernel has dropped at these ports' sockets, because their buffers were full.
fn dropped(ports: &[u16]) -> Result<u64, NodeError> {
    let table = fs::read_to_string("/proc/self/net/udp").map_err(NodeError::Drops)?;
    let ports: HashSet<u16> = ports.iter().copied().collect();
    let lines = table.lines().filter_map(line_of_table);
    let ours = lines.filter(|(port, _)| ports.contains(port));
    Ok(ours.map(|(_, dropped)| dropped).sum())
}

/// The local port and the count of dropped datagrams, the second and the last column.
fn line_of_table(line: &str) -> Option<(u16, u64)> {
    let mut columns = line.split_ascii_whitespace();
    let (_, port) = columns.nth(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((port, columns.next_back()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn what_a_full_socket_drops_is_seen() -> Result<(), Box<dyn std::error::Error>> {
        let (socket, sender) = (
            UdpSocket::bind("127.0.0.1:0")?,
            UdpSocket::bind("127.0.0.1:0")?,
        );
        let address = socket.local_addr()?;
        assert_eq!(dropped(&[address.port()])?, 0);
        // More than any default buffer takes.
        for _ in 0..20_000 {
            sender.send_to(&[0; 1_000], address)?;
        }
        assert!(dropped(&[address.port()])? > 0);
        assert_eq!(dropped(&[])?, 0);
        Ok(())
    }

    #[test]
    fn the_kernels_table_is_read() {
        let line = "  123: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
                    0        0 4242 2 0000000000000000 17";
        assert_eq!(line_of_table(line), Some((0x1f90, 17)));
        assert_eq!(line_of_table("  sl  local_address rem_address"), None);
    }
}
