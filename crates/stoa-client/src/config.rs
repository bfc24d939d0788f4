//! Where the client connects to, whom it trusts and who it is.

use std::{fmt, sync::Arc, time::Duration};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use zeroize::Zeroizing;

use crate::error::ConnectError;

/// Everything [`crate::Client::connect`] needs.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The node: `https://host:port`. The scheme must be `https`, the port must be given (the API
    /// has no registered one), and there is no path.
    pub endpoint: String,
    /// Which certificate authorities may vouch for the node.
    pub trust: TrustAnchors,
    /// Who the client is.
    pub credential: Credential,
    /// The name that the node's certificate must carry, where it is not the endpoint's host: for
    /// example when the endpoint is an address.
    pub server_name: Option<String>,
    /// How long things may take.
    pub timeouts: Timeouts,
}

impl ClientConfig {
    /// A configuration with the default [`Timeouts`] and the server name taken from the endpoint.
    pub fn new(endpoint: impl Into<String>, trust: TrustAnchors, credential: Credential) -> Self {
        Self {
            endpoint: endpoint.into(),
            trust,
            credential,
            server_name: None,
            timeouts: Timeouts::default(),
        }
    }
}

/// Which certificate authorities may vouch for the node.
#[derive(Clone)]
pub enum TrustAnchors {
    /// The text of a PEM file with one or more certificates.
    Pem(Vec<u8>),
    /// A store that was put together elsewhere.
    Store(Arc<RootCertStore>),
}

impl TrustAnchors {
    pub(crate) fn into_store(self) -> Result<Arc<RootCertStore>, ConnectError> {
        let store = match self {
            Self::Store(store) => store,
            Self::Pem(text) => {
                let mut store = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(&text) {
                    let certificate =
                        certificate.map_err(|e| ConnectError::TrustAnchors(e.to_string()))?;
                    store
                        .add(certificate)
                        .map_err(|e| ConnectError::TrustAnchors(e.to_string()))?;
                }
                Arc::new(store)
            }
        };
        if store.is_empty() {
            return Err(ConnectError::TrustAnchors(
                "there is no certificate in them".into(),
            ));
        }
        Ok(store)
    }
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(text) => write!(f, "Pem({} bytes)", text.len()),
            Self::Store(store) => write!(f, "Store({} anchors)", store.len()),
        }
    }
}

/// Who the client is. Its `Debug` form shows no secret.
#[derive(Clone)]
pub enum Credential {
    /// An API key of the node, sent as `authorization: Bearer KEY`. Visible ASCII without spaces. `key.into()` of a
    /// `String` makes one; it is cleared when it is dropped.
    ApiKey(Zeroizing<String>),
    /// A certificate that the node's client CA has signed.
    Certificate {
        /// The certificate itself, then those between it and the CA.
        chain: Vec<CertificateDer<'static>>,
        /// The certificate's private key.
        key: Arc<PrivateKeyDer<'static>>,
    },
    /// Nobody. Only the health service answers; everything else fails with CREDENTIAL_MISSING.
    Anonymous,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKey(_) => "ApiKey(..)",
            Self::Certificate { .. } => "Certificate(..)",
            Self::Anonymous => "Anonymous",
        })
    }
}

/// How long things may take. The defaults are for a signalling service in the same region as the
/// node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// Name resolution, QUIC and TLS handshakes together. Default: 5 s.
    pub connect: Duration,
    /// The deadline of a unary call of `stoa.control.v1` whose request has none of its own
    /// (`tonic::Request::set_timeout`); it includes connecting. Streams and the health and
    /// reflection services have no default deadline. Default: 10 s.
    pub call: Duration,
    /// Nothing at all coming from the node for this long means that the connection is lost.
    /// Default: 15 s.
    pub idle: Duration,
    /// How often an otherwise silent connection is kept alive; less than a third of `idle`, so
    /// that two lost packets do no harm. Default: 4 s.
    pub keep_alive: Duration,
    /// The longest pause between two attempts to connect. After a failed attempt, calls fail at
    /// once until the pause is over; it begins at 100 ms and doubles with each failure.
    /// Default: 5 s.
    pub max_backoff: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            keep_alive: Duration::from_secs(4),
            max_backoff: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let config = ClientConfig::new(
            "https://localhost:1",
            TrustAnchors::Pem(Vec::new()),
            Credential::ApiKey("hush".to_owned().into()),
        );
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn trust_anchors_must_hold_a_certificate() {
        assert!(
            TrustAnchors::Pem(b"no certificate".to_vec())
                .into_store()
                .is_err()
        );
        assert!(
            TrustAnchors::Store(RootCertStore::empty().into())
                .into_store()
                .is_err()
        );
    }
}
