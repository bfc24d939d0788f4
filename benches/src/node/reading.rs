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
pub(crate) struct Reading {
    at: Instant,
    daemon: Duration,
    /// This process, so the peers and the calls.
    peers: Duration,
    listeners: Duration,
    joiners: Duration,
    /// The whole machine.
    machine: Ticks,
    /// Datagrams that found no room in a listener's socket.
    dropped: u64,
    heard: Heard,
}

/// The processors' time in the kernel's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ticks {
    idle: u64,
    all: u64,
}

/// The difference of two readings.
pub(crate) struct Window {
    pub(crate) time: Duration,
    /// The daemon's processor time.
    pub(crate) daemon: Duration,
    /// The peers' processor time, all threads.
    pub(crate) peers: Duration,
    listeners: Duration,
    joiners: Duration,
    /// How many processors were busy, with whatever.
    pub(crate) busy: f64,
    pub(crate) dropped: u64,
    pub(crate) heard: Heard,
}

impl Reading {
    pub(crate) fn take(daemon: &Daemon, crowd: &Crowd) -> Result<Self, BenchError> {
        let own = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_err(NodeError::Limit)?;
        Ok(Self {
            at: Instant::now(),
            daemon: daemon.cpu()?,
            peers: own.into(),
            listeners: crowd.listeners.counts()?.cpu,
            joiners: crowd.joiners.counts()?.cpu,
            machine: ticks()?,
            dropped: dropped(&crowd.ports)?,
            heard: crowd.counts()?,
        })
    }
}

impl Window {
    pub(crate) fn between(before: Reading, after: Reading) -> Self {
        Self {
            time: after.at - before.at,
            daemon: after.daemon - before.daemon,
            peers: after.peers - before.peers,
            listeners: after.listeners - before.listeners,
            joiners: after.joiners - before.joiners,
            busy: busy(before.machine, after.machine),
            dropped: after.dropped - before.dropped,
            heard: after.heard.since(&before.heard),
        }
    }

    /// Of how many processors the daemon had the time.
    pub(crate) fn daemon_share(&self) -> f64 {
        share(self.daemon, self.time)
    }

    /// The same for the peers.
    pub(crate) fn peers_share(&self) -> f64 {
        share(self.peers, self.time)
    }

    /// Whether the peers could not keep up: then the figures are theirs and not the daemon's.
    pub(crate) fn peers_were_busy(&self) -> bool {
        let threads = [self.listeners, self.joiners];
        self.dropped > 0 || threads.iter().any(|&cpu| share(cpu, self.time) > BUSY)
    }
}

/// How many processors the machine has.
pub(crate) fn processors() -> f64 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(processors).map_or(1.0, f64::from)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the ticks of some minutes are far below what a float takes exactly"
)]
fn busy(before: Ticks, after: Ticks) -> f64 {
    let (idle, all) = (after.idle - before.idle, after.all - before.all);
    processors() * (1.0 - idle as f64 / all.max(1) as f64)
}

/// The first line of /proc/stat: user, nice, system, idle, waiting for input or output, and more.
fn ticks() -> Result<Ticks, NodeError> {
    let text = fs::read_to_string("/proc/stat").map_err(NodeError::Machine)?;
    Ok(ticks_of_line(text.lines().next().unwrap_or_default()))
}

fn ticks_of_line(line: &str) -> Ticks {
    // Time of guests, which follows the eighth column, is in the first ones already.
    let columns = line.split_ascii_whitespace().skip(1).take(8);
    let columns: Vec<u64> = columns.filter_map(|column| column.parse().ok()).collect();
    Ticks {
        idle: columns.iter().skip(3).take(2).sum(),
        all: columns.iter().sum(),
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
    fn idle_processors_are_seen() {
        let ticks = ticks_of_line("cpu  100 1 50 800 40 5 4 0 7 0");
        assert_eq!(
            ticks,
            Ticks {
                idle: 840,
                all: 1_000
            }
        );
        let later = Ticks {
            idle: 890,
            all: 1_100,
        };
        assert!((busy(ticks, later) - processors() / 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_kernels_table_is_read() {
        let line = "  123: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
                    0        0 4242 2 0000000000000000 17";
        assert_eq!(line_of_table(line), Some((0x1f90, 17)));
        assert_eq!(line_of_table("  sl  local_address rem_address"), None);
    }
}
