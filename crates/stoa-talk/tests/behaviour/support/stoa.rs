//! A real control server of Stoa, with the rooms in memory that its own tests use: everything but
//! the media.

use std::{net::SocketAddr, sync::Arc};

use stoa_client::{Client, ClientConfig, Credential, Timeouts, TrustAnchors};
use stoa_control::{ApiKeyHash, ControlConfig, ControlServer, Tenant};
use stoa_core::{RoomId, TenantId};
use tokio::{sync::oneshot, task::JoinHandle};

#[path = "../../../../stoa-control/tests/behaviour/support/media.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the other crate's tests use the rest"
)]
mod media;
#[path = "../../../../stoa-control/tests/behaviour/support/pki.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the other crate's tests use the rest"
)]
mod pki;

pub(crate) use media::MemoryMedia;
pub(crate) use pki::Pki;

const KEY: &str = "the-key-of-the-talk-service";

/// The tenant that the talk service is.
fn home() -> TenantId {
    TenantId::new("home").expect("an identifier")
}

/// What Stoa calls the talk service's room of this name inside.
pub(crate) fn room_id(name: &str) -> RoomId {
    RoomId::of_tenant(&home(), name).expect("an identifier")
}

/// A running control server.
pub(crate) struct Stoa {
    pub(crate) media: Arc<MemoryMedia>,
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Stoa {
    /// On any port.
    pub(crate) fn start(pki: &Pki) -> Self {
        Self::start_on(pki, "127.0.0.1:0".parse().expect("an address"))
    }

    pub(crate) fn start_on(pki: &Pki, address: SocketAddr) -> Self {
        let mut config = ControlConfig::new(vec![address], pki.server());
        config.tenants = vec![Tenant {
            api_keys: vec![ApiKeyHash::of("talk", KEY)],
            ..Tenant::new(home())
        }];
        let server = ControlServer::bind(config).expect("the port is free");
        let address = server.addresses()[0];
        let (media, notices) = MemoryMedia::new();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.serve(media.clone(), notices, async {
            // Also when the test drops it.
            let _ = stopped.await;
        }));
        Self {
            media,
            address,
            stop,
            served,
        }
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        crate::support::within(self.served)
            .await
            .expect("it does not panic");
    }

    /// Somebody who may call it.
    pub(crate) fn client(&self, pki: &Pki) -> Client {
        Self::client_by(self.address, pki, Timeouts::default())
    }

    /// Somebody who may call it, by way of this address.
    pub(crate) fn client_by(address: SocketAddr, pki: &Pki, timeouts: Timeouts) -> Client {
        let endpoint = format!("https://{address}");
        let trust = TrustAnchors::Store(pki.roots());
        let mut config =
            ClientConfig::new(endpoint, trust, Credential::ApiKey(KEY.to_owned().into()));
        config.server_name = Some(pki::SERVER_NAME.into());
        config.timeouts = timeouts;
        Client::lazy(config).expect("the configuration is good")
    }
}
