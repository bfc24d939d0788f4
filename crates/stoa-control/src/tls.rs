//! TLS for both transports: the same certificate, the same client CA, version 1.3 only.
//!
//! QUIC has no earlier version, and every gRPC stack of the last years speaks 1.3 over TCP as well:
//! a second version would only make the two transports differ.

use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::{bind_error::BindError, config::TlsIdentity};

/// What each transport takes. Both are replaced together, and with them the tickets by which connections are resumed:
/// nobody comes back by a certificate that is not vouched for any more.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) http2: Arc<ServerConfig>,
    pub(crate) http3: Arc<QuicServerConfig>,
}

impl Tls {
    pub(crate) fn new(
        identity: &TlsIdentity,
        client_ca: Option<&Arc<RootCertStore>>,
    ) -> Result<Self, BindError> {
        let http2 = server_config(identity, client_ca, b"h2")?;
        let http3 = server_config(identity, client_ca, stoa_h3::ALPN)?;
        let http3 = QuicServerConfig::try_from(http3)
            .map_err(|error| BindError::Certificate(rustls::Error::General(error.to_string())))?;
        Ok(Self {
            http2: Arc::new(http2),
            http3: Arc::new(http3),
        })
    }
}

fn server_config(
    identity: &TlsIdentity,
    client_ca: Option<&Arc<RootCertStore>>,
    protocol: &[u8],
) -> Result<ServerConfig, BindError> {
    let verifier: Arc<dyn ClientCertVerifier> = match client_ca {
        Some(roots) => {
            let provider = Arc::new(aws_lc_rs::default_provider());
            WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| BindError::ClientCa(error.to_string()))?
        }
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(BindError::Certificate)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(BindError::Certificate)?;
    tls.alpn_protocols = vec![protocol.to_vec()];
    Ok(tls)
}
