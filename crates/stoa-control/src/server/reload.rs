//! Another configuration while the server serves.

use std::sync::Arc;

use rustls::RootCertStore;
use stoa_token::Keys;

use crate::{
    bind_error::BindError,
    capacity::CapacitySettings,
    config::{ControlConfig, TlsIdentity},
    handle::ControlHandle,
    settings::Settings,
    tls::Tls,
};

/// A configuration that was checked and can be applied: nothing of that can fail.
#[must_use = "nothing has changed until it is applied"]
pub struct PreparedReload {
    handle: ControlHandle,
    settings: Settings,
    keys: Arc<Keys>,
    capacity: CapacitySettings,
    certificates: PreparedCertificates,
}

/// A certificate, and who vouches for callers, that were checked and can be applied.
#[must_use = "nothing has changed until it is applied"]
pub struct PreparedCertificates {
    handle: ControlHandle,
    tls: Tls,
}

impl ControlHandle {
    /// Checks another configuration of the running server.
    ///
    /// What of it can change while the server serves: the certificate and the authorities for callers, tenants with
    /// their credentials and quotas, the keys of join tokens, the defaults of rooms, the capacity but for the seats of
    /// a worker, `joins_per_subject`, `refusals_per_source` and `connections_per_source`. The rest of it is not looked at.
    ///
    /// # Errors
    /// [`BindError`] says what is wrong with a certificate; nothing has changed then.
    pub fn prepare_reload(&self, config: &ControlConfig) -> Result<PreparedReload, BindError> {
        Ok(PreparedReload {
            handle: self.clone(),
            settings: Settings::of(config),
            keys: config.tokens.keys(),
            capacity: config.capacity.clone(),
            certificates: self.prepare_certificates(&config.identity, config.client_ca.as_ref())?,
        })
    }

    /// Checks another certificate, and who is to vouch for callers.
    ///
    /// # Errors
    /// [`BindError`] says what is wrong with it; nothing has changed then.
    pub fn prepare_certificates(
        &self,
        identity: &TlsIdentity,
        client_ca: Option<&Arc<RootCertStore>>,
    ) -> Result<PreparedCertificates, BindError> {
        Ok(PreparedCertificates {
            handle: self.clone(),
            tls: Tls::new(identity, client_ca)?,
        })
    }
}

impl PreparedReload {
    /// Goes by it from now on. Connections and calls that are there live on; streams of callers whose credential is
    /// none any more end with CREDENTIAL_INVALID.
    pub fn apply(self) {
        // The keys first: a token of a tenant that is new finds its tenant a moment later at worst.
        self.handle.tokens.set_keys(self.keys);
        self.handle.current.set(self.settings);
        self.handle.capacity.set(self.capacity);
        self.certificates.apply();
    }
}

impl PreparedCertificates {
    /// New connections see it from now on; those that are there live on.
    pub fn apply(self) {
        self.handle.tls.send_replace(self.tls);
    }
}
