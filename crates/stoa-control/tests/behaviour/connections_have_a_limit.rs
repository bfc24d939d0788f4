//! How many connections there may be, and how long one may take to say something.

use crate::support;

use std::time::Duration;

use crate::support::{Rig, Wire, create, pki::Pki, until};
use stoa_api::v1::*;
use stoa_control::{BindError, ControlConfig, ControlServer};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

support::on_both_transports!(one_more_is_turned_away);
async fn one_more_is_turned_away(wire: Wire) {
    let rig = Rig::with(|config| config.transport.connections = 1).await;
    let mut first = rig.rooms(wire);
    create(&mut first, "r").await;
    // Both transports share the limit.
    for other in [Wire::Http2, Wire::Http3] {
        let list = ListRoomsRequest::default();
        rig.rooms(other)
            .list_rooms(list)
            .await
            .expect_err("it is turned away");
    }
    drop(first);
    until("its place is free", || rig.handle.stats().connections == 0).await;
    rig.rooms(wire)
        .list_rooms(ListRoomsRequest::default())
        .await
        .expect("there is a place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_nothing_is_cut() {
    let patience = Duration::from_millis(100);
    let rig = Rig::with(|config| config.transport.handshake = patience).await;
    let mut without_tls = TcpStream::connect(rig.address).await.expect("a connection");
    let mut without_http2 = support::wire::tls_stream(rig.address, &rig.pki).await;
    timeout(support::PATIENCE, async {
        assert_eq!(without_tls.read(&mut [0]).await.unwrap_or(0), 0);
        assert_eq!(without_http2.read(&mut [0]).await.unwrap_or(0), 0);
    })
    .await
    .expect("in time");
    until("both are gone", || rig.handle.stats().connections == 0).await;
}

#[tokio::test]
async fn what_cannot_be_bound_is_named() {
    let rig = Rig::start().await;
    let pki = Pki::new();
    let taken = ControlServer::bind(ControlConfig::new(vec![rig.address], pki.server()));
    let error = taken.err().expect("the port is in use");
    assert!(matches!(error, BindError::Address { address, .. } if address == rig.address));

    let nowhere = ControlServer::bind(ControlConfig::new(Vec::new(), pki.server()));
    assert!(matches!(nowhere, Err(BindError::NoAddress)));

    let mut identity = pki.server();
    identity.key = Pki::new().server().key;
    let mismatched = ControlServer::bind(ControlConfig::new(vec![rig.address], identity));
    assert!(matches!(mismatched, Err(BindError::Certificate(_))));

    let mut config = ControlConfig::new(vec![rig.address], pki.server());
    config.transport.connections = 0;
    assert!(matches!(
        ControlServer::bind(config),
        Err(BindError::Limit("connections"))
    ));
}
