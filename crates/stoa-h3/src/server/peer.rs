//! Who is at the other end.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use stoa_redact::ClientAddress;

/// What the connection tells about the client; an extension of every request.
#[derive(Clone)]
pub struct PeerInfo {
    /// Where the client's packets came from when the request began; it may move.
    pub remote_address: ClientAddress,
    /// The client's certificate and those it sent along, leaf first, as verified by the server's
    /// TLS configuration. `None` if it showed none.
    pub client_certificates: Option<Arc<Vec<CertificateDer<'static>>>>,
}

impl PeerInfo {
    pub(super) fn of(connection: &quinn::Connection) -> Self {
        let certificates = connection
            .peer_identity()
            .and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok());
        Self {
            remote_address: connection.remote_address().into(),
            client_certificates: certificates.map(Arc::from),
        }
    }
}

impl fmt::Debug for PeerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificates = self.client_certificates.as_ref();
        f.debug_struct("PeerInfo")
            .field("remote_address", &self.remote_address)
            .field(
                "client_certificates",
                &certificates.map(|chain| chain.len()),
            )
            .finish()
    }
}
