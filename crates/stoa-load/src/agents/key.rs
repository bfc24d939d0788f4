//! The key that a coordinator and its agents share: who has it commands them.
//!
//! The key never goes over the network. Both sides make the same small certificate authority from it, a
//! certificate of their own that it vouches for, and take nobody for the other side whom it does not vouch for:
//! mutual TLS, with rustls's own checks. A certificate can be looked at by whoever connects, so the key has to
//! be long enough that nobody tries all of them.

use std::{path::Path, sync::Arc, time::Duration};

use quinn::{
    IdleTimeout, TransportConfig, VarInt,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PKCS_ED25519,
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::AgentError;

/// The name in an agent's certificate, wherever it runs.
pub(super) const SERVER_NAME: &str = "agent";

/// The name of the authority, the same on both sides.
const AUTHORITY: &str = "stoa-load agents";

/// How many characters a key has at least.
const LEAST_CHARACTERS: usize = 32;

/// Without a packet of the other side for so long, it is lost.
const IDLE: Duration = Duration::from_secs(5);

/// How often there is one, if there is nothing else to say.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// How many calls to an agent may be under way.
const MOST_CALLS: u32 = 1_024;

/// How many bytes of one call, and of all together, wait to be read.
const CALL_WINDOW: u32 = 1 << 20;
const WINDOW: u32 = 8 << 20;

/// What an Ed25519 key is in PKCS #8 before its 32 bytes (RFC 8410, section 7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What is made of the key.
pub(crate) struct Key {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Key {
    /// Reads the key, which is alone on the file's first line.
    ///
    /// # Errors
    /// [`AgentError::Key`] if there is none, it is too short, or everybody may read it.
    pub(crate) fn read(path: &Path) -> Result<Self, AgentError> {
        let unusable = |why: String| AgentError::Key {
            path: path.to_owned(),
            why,
        };
        let key = stoa_secret::read_first_line(path);
        let key = key.map_err(|error| unusable(error.problem.to_string()))?;
        if key.len() < LEAST_CHARACTERS {
            return Err(unusable(format!(
                "its first line has fewer than {LEAST_CHARACTERS} characters; `openssl rand -hex 32` makes a key"
            )));
        }
        Self::of(&key).map_err(|error| unusable(error.to_string()))
    }

    fn of(key: &str) -> Result<Self, rcgen::Error> {
        let mut seed = Sha256::new_with_prefix(AUTHORITY);
        seed.update([0]);
        seed.update(key);
        let seed = Zeroizing::new(<[u8; 32]>::from(seed.finalize()));
        let pkcs8 = [&PKCS8[..], &seed[..]].concat();
        let pkcs8 = Zeroizing::new(PrivatePkcs8KeyDer::from(pkcs8));
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_ED25519)?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, AUTHORITY);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self {
            authority: CertifiedIssuer::self_signed(params, pair)?,
        })
    }

    /// What an agent serves with.
    pub(super) fn server(&self) -> Result<quinn::ServerConfig, AgentError> {
        let provider = provider();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(self.roots()?, Arc::clone(&provider));
        let (chain, key) = self.certificate(ExtendedKeyUsagePurpose::ServerAuth)?;
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(cannot)?
            .with_client_cert_verifier(verifier.build().map_err(cannot)?)
            .with_single_cert(chain, key)
            .map_err(cannot)?;
        tls.alpn_protocols = vec![protocol()];
        let tls = QuicServerConfig::try_from(tls).map_err(cannot)?;
        let mut quic = quinn::ServerConfig::with_crypto(Arc::new(tls));
        quic.transport_config(Arc::new(transport(MOST_CALLS)));
        Ok(quic)
    }

    /// What a coordinator comes with.
    pub(super) fn client(&self) -> Result<quinn::ClientConfig, AgentError> {
        let (chain, key) = self.certificate(ExtendedKeyUsagePurpose::ClientAuth)?;
        let mut tls = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(cannot)?
            .with_root_certificates(self.roots()?)
            .with_client_auth_cert(chain, key)
            .map_err(cannot)?;
        tls.alpn_protocols = vec![protocol()];
        let tls = QuicClientConfig::try_from(tls).map_err(cannot)?;
        let mut quic = quinn::ClientConfig::new(Arc::new(tls));
        // Nothing comes from an agent unasked.
        quic.transport_config(Arc::new(transport(0)));
        Ok(quic)
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, AgentError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).map_err(cannot)?;
        Ok(Arc::new(roots))
    }

    /// A certificate for this process alone.
    fn certificate(
        &self,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AgentError> {
        let key = KeyPair::generate().map_err(cannot)?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()]).map_err(cannot)?;
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.authority).map_err(cannot)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((vec![certificate.der().clone()], key.into()))
    }
}

fn cannot(error: impl ToString) -> AgentError {
    AgentError::Start(error.to_string())
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The name of what they talk (ALPN): both sides have to be of one version.
fn protocol() -> Vec<u8> {
    format!("stoa-load-agent/{}", env!("CARGO_PKG_VERSION")).into_bytes()
}

fn transport(calls: u32) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(calls.into())
        .max_concurrent_uni_streams(0_u8.into())
        .datagram_receive_buffer_size(None)
        .stream_receive_window(CALL_WINDOW.into())
        .receive_window(WINDOW.into())
        .send_window(WINDOW.into())
        .max_idle_timeout(IdleTimeout::try_from(IDLE).ok())
        .keep_alive_interval(Some(KEEP_ALIVE));
    transport
}

/// The codes with which a connection is closed.
pub(super) const DONE: VarInt = VarInt::from_u32(0);
pub(super) const BUSY: VarInt = VarInt::from_u32(1);
pub(super) const ENDED: VarInt = VarInt::from_u32(2);
