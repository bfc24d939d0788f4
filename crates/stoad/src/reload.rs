//! The configuration and the certificates, read again while the daemon runs.
//!
//! SIGHUP: the whole configuration is read and checked first, with every file that it names. If anything is wrong, nothing
//! changes. Otherwise everything that can change while the daemon runs does, at once, and keys that wait for a restart
//! are named in the log and stay as they were. docs/configuration.md says of each key which it is.
//!
//! The files of the certificates are also looked at every [`LOOK`], since those who renew them often tell nobody.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use stoa_control::ControlHandle;
use stoa_core::PacketQuota;
use stoa_net::Media;
use stoa_ops::{OpsHandle, Reloads, TlsPort};
use stoa_whip::WhipHandle;

use crate::{
    config::{Config, Difference, Expiries, Parts},
    exit::Failure,
    logging::Filter,
    systemd,
};

/// How often the files of the certificates are looked at.
pub(crate) const LOOK: Duration = Duration::from_secs(5);

/// What of the running parts can be changed.
pub(crate) struct Handles {
    pub(crate) media: Media,
    pub(crate) control: ControlHandle,
    pub(crate) whip: Option<WhipHandle>,
    pub(crate) ops: OpsHandle,
    pub(crate) reloads: Reloads,
}

/// Reads the configuration and the certificates again.
pub(crate) struct Reloader {
    file: PathBuf,
    /// What the daemon was started with: keys that wait for a restart are compared with it.
    started: Config,
    /// What was applied last.
    running: Config,
    /// What the workers were told last that tenants may forward. Those that have been taken out since the start are among
    /// them.
    quotas: Vec<PacketQuota>,
    handles: Handles,
    log: Filter,
    /// What the files of the certificates had in them when they were taken, or complained about.
    seen: [u8; 32],
    /// What they had at the last look, if that was no good: who renews them writes one after the other.
    doubtful: Option<[u8; 32]>,
}

impl Reloader {
    /// For a daemon that runs with this configuration, from this file, and shows certificates that are over then. What
    /// their files had in them before they were read is `seen`.
    pub(crate) fn new(
        file: &Path,
        config: &Config,
        (seen, shown): ([u8; 32], Expiries),
        handles: Handles,
        log: Filter,
    ) -> Self {
        let reloader = Self {
            file: file.to_owned(),
            started: config.clone(),
            running: config.clone(),
            quotas: config.packet_quotas_after(&[]),
            handles,
            log,
            seen,
            doubtful: None,
        };
        reloader.note(shown);
        reloader
    }

    /// For how long those who are in a room may go on after a signal.
    pub(crate) fn grace(&self) -> Duration {
        self.running.drain.grace
    }

    /// Reads the configuration again and applies it, or nothing of it.
    pub(crate) fn reload(&mut self) {
        systemd::reloading();
        let read = self.read();
        self.handles.reloads.config(read.is_ok(), SystemTime::now());
        match read {
            Ok(Difference { applied, waiting }) => {
                let applied = applied.join(", ");
                match waiting.is_empty() {
                    true => tracing::info!(applied, "the configuration was read again"),
                    false => tracing::warn!(
                        applied,
                        restart = waiting.join(", "),
                        "the configuration was read again; what needs a restart stays as it was"
                    ),
                }
                systemd::reloaded("the configuration was read again");
            }
            Err(failure) => {
                tracing::error!(
                    %failure,
                    "the configuration was read again and is wrong; nothing has changed"
                );
                systemd::reloaded("the configuration is wrong, and the one before holds");
            }
        }
    }

    /// Everything that can fail comes before anything that changes something.
    fn read(&mut self) -> Result<Difference, Failure> {
        let config = Config::read(&self.file)?;
        let parts = config.parts()?;
        let shown = parts.expiries();
        let Parts {
            control,
            whip,
            ops,
            seen,
            ..
        } = parts;
        let control = self.handles.control.prepare_reload(&control)?;
        let whip = match (&self.handles.whip, whip) {
            (Some(handle), Some(whip)) => Some(handle.prepare_reload(whip)?),
            // It was there at the start, or it was not.
            _ => None,
        };
        control.apply();
        if let Some(whip) = whip {
            whip.apply();
        }
        self.handles.ops.set(ops.key, ops.tenants);
        self.quotas = config.packet_quotas_after(&self.quotas);
        self.handles.media.set_packet_quotas(&self.quotas);
        self.log.set(&config.log);
        let difference = Difference::between(&self.started, &self.running, &config);
        self.running = config;
        self.seen = seen;
        self.doubtful = None;
        self.note(shown);
        Ok(difference)
    }

    /// Looks at the files of the certificates, and shows what they have in them if that has changed and is good. What is
    /// no good is complained about once, when it is still there at the next look.
    pub(crate) fn look(&mut self) {
        let now = self.running.certificates_fingerprint();
        if now == self.seen {
            self.doubtful = None;
            return;
        }
        let reloads = &self.handles.reloads;
        match self.certificates() {
            Ok(()) => {
                reloads.certificates(true);
                tracing::info!("the certificates were read again: their files had changed");
            }
            Err(failure) if self.doubtful == Some(now) => {
                reloads.certificates(false);
                tracing::error!(
                    %failure,
                    "the files of the certificates have changed and are wrong; those from before are shown"
                );
            }
            Err(_) => {
                self.doubtful = Some(now);
                return;
            }
        }
        self.seen = now;
        self.doubtful = None;
    }

    fn certificates(&self) -> Result<(), Failure> {
        let read = self.running.certificates()?;
        let handles = &self.handles;
        let control = &handles.control;
        let control = control.prepare_certificates(&read.control, read.client_ca.as_ref())?;
        let whip = match (&handles.whip, &read.whip) {
            (Some(handle), Some(identity)) => Some(handle.prepare_certificate(identity)?),
            _ => None,
        };
        control.apply();
        if let Some(whip) = whip {
            whip.apply();
        }
        self.note(read.expiries());
        Ok(())
    }

    /// Notes when the certificates that are shown are over.
    fn note(&self, shown: Expiries) {
        let whip = shown.whip.filter(|_| self.handles.whip.is_some());
        for (port, expiry) in [(TlsPort::Control, shown.control), (TlsPort::Whip, whip)] {
            if let Some(expiry) = expiry {
                self.handles.reloads.expiry(port, expiry);
            }
        }
    }
}
