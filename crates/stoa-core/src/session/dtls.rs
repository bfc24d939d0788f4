//! DTLS for sessions, set up once.
//!
//! str0m's own provider makes a configuration of dimpl for each session, and dimpl tries all of its
//! cryptography whenever it makes one: a key exchange in each group, signatures, hashes, ciphers. That
//! costs seven times what a handshake does: 620 us of the server's processor time, where X25519 with all
//! else that belongs to a handshake takes 86. So the sessions of a process share one configuration.
//!
//! What is negotiated with it: DTLS 1.2; of the key exchanges that the client offers X25519, or else
//! P-256 (99 us), or else P-384 (192 us), the cheapest first, in whatever order the client has them;
//! signatures with ECDSA on P-256. Chromium and Firefox offer all three.

mod records;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Instant,
};

use dimpl::{Config, Dtls};
use str0m::crypto::{
    CryptoError,
    dtls::{DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsVersion, ProtocolVersion},
};

/// The configuration of all sessions that have the same size of datagrams, which is all of a node.
static SHARED: OnceLock<Arc<Config>> = OnceLock::new();

/// Makes an instance, which is the server until it is told otherwise.
///
/// # Errors
/// [`CryptoError`] where the configuration is not one, or for a version of DTLS that is not known here.
pub(super) fn instance(
    certificate: &DtlsCert,
    now: Instant,
    version: DtlsVersion,
    mtu: Option<usize>,
) -> Result<Box<dyn DtlsInstance>, CryptoError> {
    let (config, certificate) = (shared(mtu)?, certificate.clone());
    let dtls = match version {
        DtlsVersion::Dtls12 => Dtls::new_12(config, certificate, now),
        DtlsVersion::Dtls13 => Dtls::new_13(config, certificate, now),
        DtlsVersion::Auto => Dtls::new_auto(config, certificate, now),
        _ => return Err(CryptoError::Other(format!("unknown version: {version}"))),
    };
    Ok(Box::new(Instance(dtls)))
}

fn shared(mtu: Option<usize>) -> Result<Arc<Config>, CryptoError> {
    let fits = |config: &&Arc<Config>| mtu.is_none_or(|mtu| mtu == config.mtu());
    if let Some(config) = SHARED.get().filter(fits) {
        return Ok(Arc::clone(config));
    }
    // ICE has shown that the client is where it says: no need for a cookie, and the round trip.
    let mut builder = Config::builder()
        .with_crypto_provider(dimpl::crypto::aws_lc_rs::default_provider())
        .use_server_cookie(false);
    if let Some(mtu) = mtu {
        builder = builder.mtu(mtu);
    }
    let config = builder.build();
    let config = Arc::new(config.map_err(|error| CryptoError::Other(error.to_string()))?);
    // The first one stays. Another size has a configuration of its own each time.
    let first = SHARED.get_or_init(|| Arc::clone(&config));
    Ok(Some(first).filter(fits).cloned().unwrap_or(config))
}

/// dimpl's instance as str0m wants it.
struct Instance(Dtls);

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        match records::admitted(packet)? {
            [] => Ok(()),
            admitted => self.0.handle_packet(admitted),
        }
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buf)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests;
