//! A connection that is lost is made anew by the next call.

use crate::support;

use std::time::Duration;

use crate::support::{
    KEY, create,
    media::MemoryMedia,
    next,
    pki::{Pki, SERVER_NAME},
    watch,
};
use stoa_api::v1::*;
use stoa_client::{Client, ClientConfig, Credential, TrustAnchors};
use stoa_control::{ApiKeyHash, ControlConfig, ControlHandle, ControlServer, Tenant};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use tonic::Code;

/// A server that can be started again on the same port.
struct Server {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    handle: ControlHandle,
}

fn start(pki: &Pki, port: u16) -> (Server, u16) {
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let mut config = ControlConfig::new(vec![local], pki.server());
    config.tenants = vec![Tenant {
        api_keys: vec![ApiKeyHash::of("first", KEY)],
        ..support::tenant("home")
    }];
    config.transport.grace = Duration::from_millis(200);
    let server = ControlServer::bind(config).expect("a free port");
    let (port, handle) = (server.addresses()[0].port(), server.handle());
    let (media, notices) = MemoryMedia::new();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server.serve(media, notices, async {
        let _ = stopped.await;
    }));
    (
        Server {
            stop,
            served,
            handle,
        },
        port,
    )
}

async fn stop(server: Server) {
    drop(server.stop);
    server.served.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_node_is_found_again() {
    timeout(support::PATIENCE, async {
        let pki = Pki::new();
        let (first, port) = start(&pki, 0);
        let mut config = ClientConfig::new(
            format!("https://127.0.0.1:{port}"),
            TrustAnchors::Store(pki.roots()),
            Credential::ApiKey(KEY.to_owned().into()),
        );
        config.server_name = Some(SERVER_NAME.into());
        config.timeouts.max_backoff = Duration::from_millis(100);
        config.timeouts.connect = Duration::from_millis(500);
        let client = Client::connect(config).await.expect("the node is there");
        let mut rooms = client.rooms();
        rooms
            .create_room(support::create_request("r", ""))
            .await
            .expect("a room");
        assert_eq!(
            first.handle.stats().connections,
            1,
            "all stubs share one connection"
        );
        stop(first).await;
        let list = || ListRoomsRequest::default();
        let lost = rooms.list_rooms(list()).await.expect_err("nobody is there");
        assert_eq!(lost.code(), Code::Unavailable, "{lost:?}");
        let paused = rooms.list_rooms(list()).await.expect_err("nobody is there");
        assert_eq!(paused.code(), Code::Unavailable, "{paused:?}");

        let (second, _) = start(&pki, port);
        while rooms.list_rooms(list()).await.is_err() {
            // bounded: by the guard around the test
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut node = client.node();
        node.get_status(GetStatusRequest {})
            .await
            .expect("every stub has it");
        client.close().await;
        let closed = node
            .get_status(GetStatusRequest {})
            .await
            .expect_err("it was closed");
        assert_eq!(closed.code(), Code::Unavailable);
        stop(second).await;
    })
    .await
    .expect("in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_on_a_lost_connection_is_unavailable() {
    timeout(support::PATIENCE, async {
        let rig = support::Rig::start().await;
        let client = support::wire::client(rig.address, &rig.pki, support::Identity::Key(KEY));
        let mut rooms = rig.rooms(support::Wire::Http2);
        create(&mut rooms, "r").await;
        let request = WatchRequest {
            room_id: "r".into(),
            from_revision: 0,
        };
        let mut events = client
            .rooms()
            .watch(request)
            .await
            .expect("a watch")
            .into_inner();
        next(&mut events).await;
        let mut over_http2 = watch(&mut rooms, "r", 0).await;
        next(&mut over_http2).await;
        client.close().await;
        let lost = events.message().await.expect_err("it is lost");
        assert_eq!(lost.code(), Code::Unavailable, "{lost:?}");
        support::until("only one is left", || rig.handle.stats().watchers == 1).await;
    })
    .await
    .expect("in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_with_several_addresses_is_tried_at_all_of_them() {
    let rig = support::Rig::start().await;
    let mut config = ClientConfig::new(
        // Where this is ::1 as well, nobody answers there.
        format!("https://localhost:{}", rig.address.port()),
        TrustAnchors::Store(rig.pki.roots()),
        Credential::ApiKey(KEY.to_owned().into()),
    );
    config.server_name = Some(SERVER_NAME.into());
    Client::connect(config).await.expect("the node is found");
}
