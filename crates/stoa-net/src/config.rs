//! How the workers are set up, and what can be wrong with that.

use std::net::IpAddr;

use stoa_core::{Certificate, EgressPath, Limits, PacketQuota};

use crate::{advertised::Advertised, error::StartError};

/// How the media workers are set up.
#[derive(Clone)]
pub struct Config {
    /// The addresses to bind, at most one for each IP version. `0.0.0.0` and `::` mean all.
    pub bind: Vec<IpAddr>,
    /// The UDP port of the first worker; each further one has the next. 0: any free ports.
    pub port: u16,
    /// How many workers: 1 to 64, usually as many as cores.
    pub workers: usize,
    /// Whether each worker takes TCP connections at its port number, too, for clients whose networks
    /// block UDP (RFC 6544).
    pub tcp: bool,
    /// At which addresses clients reach the workers. Empty: at the bound ones.
    pub advertise: Vec<Advertised>,
    /// The certificate for DTLS.
    pub certificate: Certificate,
    /// What each worker's node may hold.
    pub limits: Limits,
    /// How packets for listeners are written and encrypted.
    pub egress: EgressPath,
    /// What tenants may forward from all workers together, where they have a limit.
    pub quotas: Vec<PacketQuota>,
}

/// The most workers that can be asked for: no machine has use for more.
const MAX_WORKERS: usize = 64;

impl Config {
    /// Checks what can be checked without opening anything.
    ///
    /// # Errors
    /// The [`StartError`]s that [`start`](crate::start) would give, but for sockets and threads.
    pub fn check(&self) -> Result<(), StartError> {
        if !(1..=MAX_WORKERS).contains(&self.workers) {
            return Err(StartError::WorkerCount {
                most: MAX_WORKERS,
                asked: self.workers,
            });
        }
        let count = |v4: bool| self.bind.iter().filter(|ip| ip.is_ipv4() == v4).count();
        if self.bind.is_empty() || count(true) > 1 || count(false) > 1 {
            return Err(StartError::Bind(self.bind.clone()));
        }
        let last = usize::from(self.port) + self.workers - 1;
        if self.port != 0 && last > usize::from(u16::MAX) {
            return Err(StartError::Ports {
                first: self.port,
                workers: self.workers,
            });
        }
        self.advertised().map(drop)
    }

    /// What is advertised in fact: the bound addresses, where nothing else is said.
    ///
    /// # Errors
    /// Those of [`check`](Self::check) that concern addresses.
    pub fn advertised(&self) -> Result<Vec<Advertised>, StartError> {
        if self.advertise.is_empty() {
            if let Some(all) = self.bind.iter().find(|ip| ip.is_unspecified()) {
                return Err(StartError::NothingAdvertised(*all));
            }
            return Ok(self
                .bind
                .iter()
                .map(|&ip| Advertised { ip, port: None })
                .collect());
        }
        for advertised in &self.advertise {
            if !self
                .bind
                .iter()
                .any(|ip| ip.is_ipv4() == advertised.ip.is_ipv4())
            {
                return Err(StartError::NotBound(*advertised));
            }
            let last = usize::from(advertised.port.unwrap_or(1)) + self.workers - 1;
            if last > usize::from(u16::MAX) {
                let first = advertised.port.unwrap_or(1);
                return Err(StartError::Ports {
                    first,
                    workers: self.workers,
                });
            }
        }
        Ok(self.advertise.clone())
    }
}
