//! Why the server cannot be made.

use std::{io, net::SocketAddr};

/// Why the server cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// An address cannot be bound; most often it is in use.
    #[error("{transport} cannot be bound to {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// "TCP" or "UDP".
        transport: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no address to listen on.
    #[error("there is no address to listen on")]
    NoAddress,
    /// A limit has a value that no transport could keep to.
    #[error("the transport limit {0} has a value that is not possible")]
    Limit(&'static str),
    /// The certificate and the key do not fit, or are not what TLS takes.
    #[error("the server's certificate cannot be used: {0}")]
    Certificate(#[source] rustls::Error),
    /// The state directory cannot be used.
    #[error("the state directory cannot be used: {0}")]
    State(#[from] crate::bans::StateError),
    /// The client CA cannot be used.
    #[error("the client CA cannot be used: {0}")]
    ClientCa(String),
}
