//! Who is at the other end.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

/// What the connection tells about the client; an extension of every request.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// Where the client's packets came from when the request began; it may move.
    pub remote_address: SocketAddr,
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
            remote_address: connection.remote_address(),
            client_certificates: certificates.map(Arc::from),
        }
    }
}
