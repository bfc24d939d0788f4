//! What the configuration means to each part of the daemon.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::RootCertStore;
use stoa_control::{ControlServer, TlsIdentity};
use stoa_core::{Certificate, EgressPath, Limits, PacketQuota};
use stoa_token::Verifier;
use stoa_whip::{WhipConfig, WhipServer};

use super::{Config, Traces, files, media, tenants, whip};
use crate::exit::Failure;

/// What every part is told.
pub(crate) struct Parts {
    pub(crate) media: stoa_net::Config,
    pub(crate) control: stoa_control::ControlConfig,
    pub(crate) whip: Option<WhipConfig>,
    pub(crate) ops: stoa_ops::OpsConfig,
    pub(crate) traces: Option<Traces>,
    /// What the files of the certificates had in them before they were read: what changes after that differs from it.
    pub(crate) seen: [u8; 32],
}

/// What is shown at the ports with TLS, and who vouches for callers.
pub(crate) struct Certificates {
    pub(crate) control: TlsIdentity,
    pub(crate) client_ca: Option<Arc<RootCertStore>>,
    pub(crate) whip: Option<TlsIdentity>,
}

/// When the certificate of each port with TLS is over; `None` where it does not say, or there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiries {
    pub(crate) control: Option<SystemTime>,
    pub(crate) whip: Option<SystemTime>,
}

impl Expiries {
    fn of(control: &TlsIdentity, whip: Option<&TlsIdentity>) -> Self {
        Self {
            control: files::expiry(control),
            whip: whip.and_then(files::expiry),
        }
    }
}

impl Parts {
    /// When their certificates are over.
    pub(crate) fn expiries(&self) -> Expiries {
        let whip = self.whip.as_ref().map(|whip| &whip.identity);
        Expiries::of(&self.control.identity, whip)
    }
}

impl Certificates {
    /// When they are over.
    pub(crate) fn expiries(&self) -> Expiries {
        Expiries::of(&self.control, self.whip.as_ref())
    }
}

impl Config {
    /// What every part of the daemon is told; files that the configuration names are read and checked, no port is opened.
    ///
    /// # Errors
    /// [`Failure`] with what is wrong first.
    pub(crate) fn parts(&self) -> Result<Parts, Failure> {
        let seen = self.certificates_fingerprint();
        let parts = Parts {
            seen,
            media: self.media()?,
            control: self.control()?,
            whip: self.whip()?,
            ops: self.ops(),
            traces: self.traces()?,
        };
        ControlServer::check(&parts.control)?;
        if let Some(whip) = &parts.whip {
            WhipServer::check(whip)?;
        }
        Ok(parts)
    }

    /// The certificates alone, read from their files.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub(crate) fn certificates(&self) -> Result<Certificates, Failure> {
        Ok(Certificates {
            control: self.control.identity()?,
            client_ca: self.control.client_ca()?,
            whip: self.whip.as_ref().map(whip::Whip::identity).transpose()?,
        })
    }

    /// What the files of the certificates have in them now: it changes when they do.
    pub(crate) fn certificates_fingerprint(&self) -> [u8; 32] {
        let whip = self.whip.iter().flat_map(whip::Whip::tls_files);
        files::fingerprint(self.control.tls_files().chain(whip))
    }

    /// What the media workers are told.
    ///
    /// # Errors
    /// [`Failure::Config`] or [`Failure::Media`].
    pub(crate) fn media(&self) -> Result<stoa_net::Config, Failure> {
        let seconds = |value: NonZeroUsize| Duration::from_secs(value.get() as u64);
        let config = stoa_net::Config {
            bind: self.media.bind.clone(),
            port: self.media.port,
            workers: self.worker_count(),
            tcp: self.media.tcp,
            advertise: self.media.advertise.clone(),
            certificate: Certificate::generate().map_err(Failure::Running)?,
            limits: Limits {
                rooms: self.limits.rooms_per_worker.get(),
                participants_per_room: self.limits.participants_per_room.get(),
                participants: self.limits.participants_per_worker.get(),
                ice_timeout: seconds(self.media.ice_timeout_seconds),
                resume_window: Duration::from_secs(self.media.resume_seconds.into()),
                connect_timeout: seconds(self.media.connect_timeout_seconds),
            },
            egress: match self.media.egress {
                media::Egress::Direct => EgressPath::Direct,
                media::Egress::Reference => EgressPath::Reference,
            },
            quotas: self.packet_quotas(),
        };
        config
            .check()
            .map_err(|error| Failure::Config(format!("media: {error}")))?;
        Ok(config)
    }

    /// What tenants may forward, where they have a limit.
    fn packet_quotas(&self) -> Vec<PacketQuota> {
        let quotas = self.tenants.iter();
        quotas.filter_map(tenants::Tenant::packet_quota).collect()
    }

    /// The same in the place of those of before: the rooms of a tenant that has been taken out stay, and stay within its
    /// quota.
    pub(crate) fn packet_quotas_after(&self, before: &[PacketQuota]) -> Vec<PacketQuota> {
        let tenants: HashSet<_> = self.tenants.iter().map(tenants::Tenant::id).collect();
        let gone = before.iter();
        let gone = gone.filter(|quota| !tenants.contains(&quota.tenant));
        let mut quotas = self.packet_quotas();
        quotas.extend(gone.cloned());
        quotas
    }

    /// What the ops port is told.
    pub(crate) fn ops(&self) -> stoa_ops::OpsConfig {
        self.ops
            .config(self.tenants.iter().map(tenants::Tenant::id).collect())
    }

    /// What the control server is told.
    ///
    /// # Errors
    /// [`Failure::Config`]; [`Failure::File`] for certificates and keys.
    pub(crate) fn control(&self) -> Result<stoa_control::ControlConfig, Failure> {
        let control = &self.control;
        if control.listen.is_empty() {
            return Err(Failure::Config(
                "control.listen: there must be an address".to_owned(),
            ));
        }
        let wrong = |reason| Failure::Config(format!("tenants: {reason}"));
        tenants::check(&self.tenants).map_err(wrong)?;
        let by_certificate = self.tenants.iter().any(tenants::Tenant::has_certificates);
        if by_certificate != control.client_ca_file.is_some() {
            return Err(Failure::Config(
                "control.client_ca_file and tenants.client_certificates: neither is of use without the other"
                    .to_owned(),
            ));
        }
        let identity = control.identity()?;
        let mut config = stoa_control::ControlConfig::new(control.listen.clone(), identity);
        config.client_ca = control.client_ca()?;
        config.tenants = self.tenants.iter().map(tenants::Tenant::control).collect();
        config.state_directory.clone_from(&self.state.directory);
        config.service.joins_per_subject = self.limits.joins_per_subject_per_minute.get();
        config.service.refusals_per_source = self.limits.refusals_per_source_per_minute.get();
        config.service.connections_per_source = self.limits.connections_per_source.get();
        let seats = self.limits.participants_per_worker.get();
        let wrong = |reason| Failure::Config(format!("capacity: {reason}"));
        config.capacity = self.capacity.settings(seats).map_err(wrong)?;
        config.rooms = stoa_control::RoomDefaults {
            empty_timeout: self.rooms.empty_timeout_seconds,
            idle_timeout: self.rooms.idle_timeout_seconds,
        };
        config.tokens = Verifier::new(self.token_keys()?);
        config.version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(config)
    }
}
