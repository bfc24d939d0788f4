//! What a configuration needs of the machine: ports, certificates, files with secrets, memory.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use rustls::pki_types::CertificateDer;

use super::{Config, cgroup, files};
use crate::exit::Failure;

/// By what a port is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// A port that the daemon binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    /// The YAML key that says so.
    pub(crate) key: &'static str,
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
    /// Whether a wildcard of IPv6 leaves IPv4 alone.
    pub(crate) is_v6_only: bool,
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The section of the configuration.
    pub(crate) section: &'static str,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Identity {
    /// The certificates, the server's first, if they and the key are what they should be.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub(crate) fn chain(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        files::identity(&self.certificate, &self.key).map(|identity| identity.chain)
    }
}

/// What the process may have of the machine's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// What `capacity.memory_mib` says.
    pub(crate) configured: Option<u64>,
    /// What the control group gives.
    pub(crate) group: Option<u64>,
}

impl Config {
    /// Every port but those that the system picks.
    pub(crate) fn ports(&self, media: &stoa_net::Config) -> Vec<Port> {
        let mut ports = Vec::new();
        let mut add = |key, transport, ip: IpAddr, port, is_v6_only| {
            if port != 0 {
                let address = SocketAddr::new(ip, port);
                ports.push(Port {
                    key,
                    transport,
                    address,
                    is_v6_only,
                });
            }
        };
        for (worker, &ip) in
            (0..media.workers).flat_map(|w| media.bind.iter().map(move |ip| (w, ip)))
        {
            let last = media
                .port
                .checked_add(u16::try_from(worker).unwrap_or(u16::MAX));
            let port = last.filter(|_| media.port != 0).unwrap_or(0);
            add("media.port", Transport::Udp, ip, port, true);
            if media.tcp {
                add("media.port", Transport::Tcp, ip, port, true);
            }
        }
        for address in &self.control.listen {
            for transport in [Transport::Tcp, Transport::Udp] {
                add(
                    "control.listen",
                    transport,
                    address.ip(),
                    address.port(),
                    false,
                );
            }
        }
        for address in self.whip.iter().flat_map(|whip| &whip.listen) {
            add(
                "whip.listen",
                Transport::Tcp,
                address.ip(),
                address.port(),
                false,
            );
        }
        for address in &self.ops.listen {
            add(
                "ops.listen",
                Transport::Tcp,
                address.ip(),
                address.port(),
                false,
            );
        }
        ports
    }

    /// The certificates that the daemon shows.
    pub(crate) fn identities(&self) -> Vec<Identity> {
        let control = Identity {
            section: "control",
            certificate: self.control.certificate_file.clone(),
            key: self.control.private_key_file.clone(),
        };
        let whip = self.whip.as_ref().map(|whip| Identity {
            section: "whip",
            certificate: whip.certificate_file.clone(),
            key: whip.private_key_file.clone(),
        });
        std::iter::once(control).chain(whip).collect()
    }

    /// The files that nobody else should be able to read.
    pub(crate) fn secret_files(&self) -> Vec<&Path> {
        let of_whip = self.whip.as_ref().map(|whip| &whip.private_key_file);
        let of_tenants = self.tenants.iter().flat_map(|tenant| &tenant.token_keys);
        let secrets = of_tenants.filter_map(|key| key.secret_file.as_ref());
        let keys = std::iter::once(&self.control.private_key_file).chain(of_whip);
        let mut files: Vec<&Path> = keys.chain(secrets).map(PathBuf::as_path).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// What it may have of the memory.
    pub(crate) fn memory(&self) -> Memory {
        let configured = self.capacity.memory_mib;
        Memory {
            configured: configured.map(|mib| u64::from(mib.get()) << 20),
            group: cgroup::memory_limit(),
        }
    }
}
