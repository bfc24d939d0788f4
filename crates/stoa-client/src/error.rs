//! Why there is no connection.

use std::{io, time::Duration};

/// Why [`crate::Client::connect`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The endpoint is not `https://host:port`.
    #[error("the endpoint {endpoint:?} is not https://host:port: {why}")]
    Endpoint {
        /// The endpoint as given.
        endpoint: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The trust anchors could not be used.
    #[error("the trust anchors cannot be used: {0}")]
    TrustAnchors(String),
    /// The API key has characters that a header may not have.
    #[error("the API key may have visible ASCII characters only")]
    ApiKey,
    /// The client certificate and its key could not be used.
    #[error("the client certificate cannot be used: {0}")]
    Certificate(#[source] rustls::Error),
    /// The TLS library offers nothing that QUIC could use.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A local UDP socket could not be opened.
    #[error("a local UDP socket cannot be opened: {0}")]
    Socket(#[source] io::Error),
    /// The host's name could not be resolved.
    #[error("the name {host:?} cannot be resolved: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The host's name has no address.
    #[error("the name {0:?} has no address")]
    NoAddress(String),
    /// The QUIC connection could not be started.
    #[error("the QUIC connection cannot be started: {0}")]
    Start(#[source] quinn::ConnectError),
    /// The QUIC or TLS handshake failed; a certificate that is not trusted is reported here.
    #[error("the QUIC handshake failed: {0}")]
    Handshake(#[source] quinn::ConnectionError),
    /// HTTP/3 could not be set up on the connection.
    #[error("HTTP/3 cannot be set up: {0}")]
    Http3(String),
    /// It took longer than [`crate::Timeouts::connect`].
    #[error("no connection within {0:?}")]
    Timeout(Duration),
    /// The last attempt failed and the pause before the next one is not over.
    #[error("the last attempt failed ({last}); the next one may be made in {wait:?}")]
    Backoff {
        /// Why the last attempt failed.
        last: String,
        /// What is left of the pause.
        wait: Duration,
    },
    /// [`crate::Client::close`] was called.
    #[error("the client was closed")]
    Closed,
}
