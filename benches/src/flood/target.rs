//! What an attack is given, what it has offered, and how it is paced.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How often datagrams are sent: a burst each time.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// Against what.
#[derive(Clone)]
pub(super) struct Target {
    /// A media port.
    pub(super) media: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) whip: SocketAddr,
    /// Who vouches for the daemon, in PEM.
    pub(super) ca_pem: String,
    /// What a caller's calls have as `authorization`.
    pub(super) bearer: String,
    /// Join tokens, one for each who is to enter by WHIP.
    pub(super) tokens: Vec<String>,
    /// What they offer.
    pub(super) offer: String,
    /// Of somebody who has been let in at that port.
    pub(super) ufrag: String,
    /// The ports of listeners.
    pub(super) ports: Vec<u16>,
}

/// What an attack sent, and what came back to where it was sent from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Offered {
    /// Datagrams, connections, frames or calls.
    pub(super) count: u64,
    /// Their bytes, where they are datagrams.
    pub(super) bytes: u64,
    /// Bytes that were answered to the attacker's own address, where that has shown nothing.
    pub(super) answered: u64,
}

impl Offered {
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.answered += other.answered;
    }
}

/// Calls this so often a second.
pub(super) fn paced(
    rate: u32,
    time: Duration,
    mut send: impl FnMut(u64) -> io::Result<u64>,
) -> io::Result<Offered> {
    let begun = Instant::now();
    let mut offered = Offered::default();
    while begun.elapsed() < time {
        let due = begun.elapsed().as_micros() * u128::from(rate) / 1_000_000;
        while u128::from(offered.count) < due {
            offered.bytes += send(offered.count)?;
            offered.count += 1;
        }
        // bounded: by the time of the attack
        std::thread::sleep(TICK);
    }
    Ok(offered)
}
