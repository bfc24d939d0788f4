//! All connections, and how many there may be.

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use mio::net::TcpStream;
use slotmap::SlotMap;

use super::{ConnectionKey, connection::Connection, counts::Reason};

/// How many connections there may be in all, where the process may have as many files open: with three
/// voices that is two million datagrams a second, beyond what one thread can write.
pub const MAX_CONNECTIONS: usize = 16_384;

/// How many from one address: a company behind one address, with two for each of its people.
const MAX_PER_SOURCE: usize = 1_024;

/// How many that have shown no credential yet. When one more comes, the oldest has to go: whoever has one
/// shows it at once.
const MAX_UNPROVEN: usize = 1_024;

/// How many of those from one address.
const MAX_UNPROVEN_PER_SOURCE: usize = 64;

/// How long a connection may take to show a credential. Over the worst of networks that are of any use for
/// speech, the first packet comes within a second.
const PROVE_WITHIN: Duration = Duration::from_secs(5);

/// How many files a process may have open if the system does not say.
const USUAL_FILES: u64 = 1_024;

/// From where connections come, as far as they are counted together: an IPv4 address, or what one
/// subscriber of IPv6 has (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Source {
    fn of(address: SocketAddr) -> Self {
        match address.ip() {
            IpAddr::V4(ip) => Self::V4(ip.octets()),
            IpAddr::V6(ip) => {
                let [a, b, c, d, e, f, g, h, ..] = ip.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// How many there are from one source.
#[derive(Debug, Default, Clone, Copy)]
struct Crowd {
    all: usize,
    unproven: usize,
}

/// The connections.
pub(super) struct Table {
    connections: SlotMap<ConnectionKey, Connection>,
    sources: HashMap<Source, Crowd>,
    /// Those that have shown no credential, by when they have to.
    unproven: BTreeSet<(Instant, ConnectionKey)>,
    capacity: usize,
    per_source: usize,
}

/// Half of the files that the process may have open are left to everything else.
fn capacity() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let half = usize::try_from(files.unwrap_or(USUAL_FILES) / 2);
    half.unwrap_or(MAX_CONNECTIONS).min(MAX_CONNECTIONS)
}

impl Table {
    pub(super) fn new() -> Self {
        let capacity = capacity();
        Self {
            connections: SlotMap::with_key(),
            sources: HashMap::new(),
            unproven: BTreeSet::new(),
            capacity,
            // Nobody has them all.
            per_source: MAX_PER_SOURCE.min(capacity / 4).max(1),
        }
    }

    /// Why a connection cannot be taken in now, if it cannot. `untold` closed ones count still.
    pub(super) fn refusal(&self, remote: SocketAddr, untold: usize) -> Option<Reason> {
        if self.connections.len() + untold >= self.capacity {
            return Some(Reason::RefusedFull);
        }
        let crowd = self.sources.get(&Source::of(remote));
        let crowd = crowd.copied().unwrap_or_default();
        let is_crowded = crowd.all >= self.per_source || crowd.unproven >= MAX_UNPROVEN_PER_SOURCE;
        is_crowded.then_some(Reason::RefusedSource)
    }

    /// Takes a connection in. Where the oldest that has shown no credential has to go for it, that is
    /// named, too.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        stream: TcpStream,
        remote: SocketAddr,
        worker: usize,
    ) -> (ConnectionKey, Option<ConnectionKey>) {
        let is_full = self.unproven.len() >= MAX_UNPROVEN;
        let evicted = self.unproven.first().filter(|_| is_full);
        let evicted = evicted.map(|&(_, key)| key);
        let until = now + PROVE_WITHIN;
        let connection = Connection::new(now, stream, remote, worker, until);
        let key = self.connections.insert(connection);
        self.unproven.insert((until, key));
        let crowd = self.sources.entry(Source::of(remote)).or_default();
        crowd.all += 1;
        crowd.unproven += 1;
        (key, evicted)
    }

    pub(super) fn get(&mut self, key: ConnectionKey) -> Option<&mut Connection> {
        self.connections.get_mut(key)
    }

    /// Notes that a connection has shown a credential.
    pub(super) fn admit(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if let Some(until) = connection.prove_until.take() {
            self.unproven.remove(&(until, key));
            if let Some(crowd) = self.sources.get_mut(&Source::of(connection.remote)) {
                crowd.unproven -= 1;
            }
        }
    }

    pub(super) fn remove(&mut self, key: ConnectionKey) -> Option<Connection> {
        self.admit(key);
        let connection = self.connections.remove(key)?;
        let source = Source::of(connection.remote);
        if let Some(crowd) = self.sources.get_mut(&source) {
            crowd.all -= 1;
            if crowd.all == 0 {
                self.sources.remove(&source);
            }
        }
        Some(connection)
    }

    /// By when the next one has to show its credential.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.unproven.first().map(|&(until, _)| until)
    }

    /// Those that have not in time.
    pub(super) fn take_overdue(&self, now: Instant) -> Vec<ConnectionKey> {
        let overdue = self.unproven.iter().take_while(|(until, _)| *until <= now);
        overdue.map(|&(_, key)| key).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    pub(super) fn iter(&mut self) -> impl Iterator<Item = (ConnectionKey, &mut Connection)> {
        self.connections.iter_mut()
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Connection> {
        self.sources.clear();
        self.unproven.clear();
        self.connections.drain().map(|(_, connection)| connection)
    }
}
