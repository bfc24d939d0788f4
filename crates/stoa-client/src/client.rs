//! The client and the stubs it hands out.

use std::{fmt, sync::Arc};

use http::HeaderValue;
use stoa_api::v1::{node_client::NodeClient, rooms_client::RoomsClient};
use zeroize::Zeroizing;

use crate::{
    config::{ClientConfig, Credential},
    connection::{Connector, Target},
    error::ConnectError,
    service::{ClientService, Shared},
};

/// The stub of the `Rooms` service.
pub type RoomsStub = RoomsClient<ClientService>;

/// The stub of the `Node` service.
pub type NodeStub = NodeClient<ClientService>;

/// The largest answer that is taken, in bytes: a snapshot of a room with 20,000 participants, each
/// with the longest names, has about 12 MiB.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// A client of one node. Clones share its connection.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// Connects to the node, so that a wrong address or a certificate that is not trusted shows at
    /// once. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError`] says what was wrong with the configuration or the node. A credential that
    /// the node does not know shows with the first call only.
    pub async fn connect(config: ClientConfig) -> Result<Self, ConnectError> {
        let client = Self::lazy(config)?;
        client.shared.connector.channel().await?;
        Ok(client)
    }

    /// A client that connects with its first call. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError`] says what is wrong with the configuration.
    pub fn lazy(config: ClientConfig) -> Result<Self, ConnectError> {
        let target = Target::parse(&config.endpoint, config.server_name.as_deref())?;
        let authorization = match &config.credential {
            Credential::ApiKey(key) => Some(bearer(key)?),
            Credential::Certificate { .. } | Credential::Anonymous => None,
        };
        let call_timeout = config.timeouts.call;
        let connector = Connector::new(config, target)?;
        Ok(Self {
            shared: Arc::new(Shared {
                connector,
                authorization,
                call_timeout,
            }),
        })
    }

    /// A stub of the `Rooms` service.
    pub fn rooms(&self) -> RoomsStub {
        RoomsClient::with_origin(self.service(), self.shared.connector.origin())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// A stub of the `Node` service.
    pub fn node(&self) -> NodeStub {
        NodeClient::with_origin(self.service(), self.shared.connector.origin())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.shared.connector.is_closed()
    }

    pub(crate) fn max_backoff(&self) -> std::time::Duration {
        self.shared.connector.max_backoff()
    }

    /// What the stubs call through, for stubs of other services on the same node: health and
    /// reflection.
    pub fn service(&self) -> ClientService {
        ClientService::new(Arc::clone(&self.shared))
    }

    /// The endpoint as a URI, for `with_origin` of stubs made from [`Client::service`].
    pub fn origin(&self) -> http::Uri {
        self.shared.connector.origin()
    }

    /// Closes the connection for every clone and stub, and waits up to half a second until the node
    /// has been told. Calls under way and later ones fail with [`tonic::Code::Unavailable`]. Dropping the last
    /// clone and stub closes it too, without waiting.
    pub async fn close(&self) {
        self.shared.connector.close().await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

fn bearer(key: &str) -> Result<HeaderValue, ConnectError> {
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ConnectError::ApiKey);
    }
    let shown = Zeroizing::new(format!("Bearer {key}"));
    let mut value = HeaderValue::from_str(&shown).map_err(|_| ConnectError::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_ascii() {
        assert!(bearer("abc~_-.=+/").is_ok());
        for bad in ["", "a b", "a\nb", "é"] {
            assert!(matches!(bearer(bad), Err(ConnectError::ApiKey)), "{bad:?}");
        }
        assert!(bearer("abc").is_ok_and(|v| v.is_sensitive()));
    }
}
