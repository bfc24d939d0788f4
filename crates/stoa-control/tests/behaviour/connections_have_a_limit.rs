//! How many connections there may be, and how long one may take to say something.

use crate::support;

use std::time::Duration;

use crate::support::{Identity, Rig, Wire, create, pki::Pki, until};
use stoa_api::v1::*;
use stoa_control::{BindError, ControlConfig, ControlServer, Crowded};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;

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

support::on_both_transports!(one_source_has_its_share);
async fn one_source_has_its_share(wire: Wire) {
    let rig = Rig::with(|config| config.service.connections_per_source = 1).await;
    let mut first = rig.rooms(wire);
    create(&mut first, "r").await;
    for other in [Wire::Http2, Wire::Http3] {
        let list = ListRoomsRequest::default();
        let refused = rig.rooms(other).list_rooms(list).await;
        refused.expect_err("its address has its share");
    }
    assert!(counted(&rig, Crowded::Source) >= 2);
    assert_eq!(counted(&rig, Crowded::Full), 0, "there is room");
    drop(first);
    until("its place is free", || rig.handle.stats().connections == 0).await;
    let mut again = rig.rooms(wire);
    let listed = again.list_rooms(ListRoomsRequest::default()).await;
    listed.expect("there is a place");
}

fn counted(rig: &Rig, why: Crowded) -> u64 {
    let mut all = rig.handle.refused_connections();
    all.find_map(|(port, reason, count)| (port == "control" && reason == why).then_some(count))
        .expect("it is counted")
}

support::on_both_transports!(whoever_shows_nothing_makes_room);
async fn whoever_shows_nothing_makes_room(wire: Wire) {
    let rig = Rig::with(|config| {
        config.transport.connections = 2;
        // One alone may have all.
        config.tenants.truncate(1);
    })
    .await;
    let mut first = rig.rooms(wire);
    create(&mut first, "r").await;
    // Strangers fill the port.
    let mut stranger = support::wire::tls_stream(rig.address, &rig.pki).await;
    until("both are there", || rig.handle.stats().connections == 2).await;
    let mut second = rig.rooms(wire);
    let listed = second.list_rooms(ListRoomsRequest::default()).await;
    listed.expect("a stranger makes room");
    assert_eq!(stranger.read(&mut [0]).await.unwrap_or(0), 0);
    assert_eq!(counted(&rig, Crowded::Displaced), 1);
    // Whoever has shown a credential does not.
    let third = rig
        .rooms(wire)
        .list_rooms(ListRoomsRequest::default())
        .await;
    third.expect_err("nobody makes room");
    create(&mut first, "s").await;
}

support::on_both_transports!(no_tenant_takes_all_connections);
async fn no_tenant_takes_all_connections(wire: Wire) {
    let rig = Rig::with(|config| config.transport.connections = 4).await;
    let list = ListRoomsRequest::default;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut home = rig.rooms(wire);
        home.list_rooms(list()).await.expect("within its share");
        held.push(home);
    }
    // Two are left, and it has two.
    let refused = rig.rooms(wire).list_rooms(list()).await;
    let refused = refused.expect_err("the rest is for the others");
    let details = refused.get_details_error_info().expect("the reason");
    assert_eq!(details.reason, "QUOTA_REACHED");
    let metadata = |key: &str| details.metadata.get(key).map(String::as_str);
    assert_eq!(metadata("quota"), Some("connections"));
    assert_eq!(metadata("limit"), Some("2"));
    assert_eq!(counted(&rig, Crowded::Tenant), 1);
    let foreign = rig.service(wire, Identity::Key(support::FOREIGN_KEY));
    let mut foreign = support::Rooms::new(foreign);
    foreign.list_rooms(list()).await.expect("its own share");
    drop(held.pop());
    until("its place is free", || rig.handle.stats().connections == 2).await;
    let again = rig.rooms(wire).list_rooms(list()).await;
    again.expect("there is a place again");
}

support::on_both_transports!(a_tenant_has_its_quota_of_connections);
async fn a_tenant_has_its_quota_of_connections(wire: Wire) {
    let rig = Rig::with(|config| config.tenants[0].quotas.connections = Some(1)).await;
    let mut first = rig.rooms(wire);
    create(&mut first, "r").await;
    let refused = rig
        .rooms(wire)
        .list_rooms(ListRoomsRequest::default())
        .await;
    let refused = refused.expect_err("one is all that it may have");
    let details = refused.get_details_error_info().expect("the reason");
    assert_eq!(details.reason, "QUOTA_REACHED");
    create(&mut first, "s").await;
}

support::on_both_transports!(a_stranger_has_few_calls_until_they_show_a_credential);
async fn a_stranger_has_few_calls_until_they_show_a_credential(wire: Wire) {
    let rig = Rig::start().await;
    let service = rig.service(wire, Identity::Nobody);
    let watch = || {
        let mut health = HealthClient::new(service.clone());
        async move { health.watch(HealthCheckRequest::default()).await }
    };
    let mut held = Vec::new();
    let refused = loop {
        match watch().await {
            Ok(answer) => held.push(answer),
            Err(refused) => break refused,
        }
    };
    assert_eq!(held.len(), 16);
    let details = refused.get_details_error_info().expect("the reason");
    assert_eq!(details.reason, "NODE_OVERLOADED");
    // Their end makes room for others.
    held.truncate(8);
    let again = async {
        while watch().await.is_err() {
            // bounded: by the test's patience
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let again = timeout(support::PATIENCE, again).await;
    again.expect("there is room again");
}

support::on_both_transports!(a_connection_without_a_good_credential_ends);
async fn a_connection_without_a_good_credential_ends(wire: Wire) {
    let rig = Rig::with(|config| config.service.refusals_per_source = u32::MAX).await;
    let mut rooms = rig.rooms_of(wire, Identity::Nobody);
    for _ in 0..256 {
        let refused = rooms.list_rooms(ListRoomsRequest::default()).await;
        let refused = refused.expect_err("there is no credential");
        let details = refused.get_details_error_info().expect("the reason");
        assert_eq!(details.reason, "CREDENTIAL_MISSING");
    }
    assert_eq!(rig.handle.stats().connections, 1);
    let last = rooms.list_rooms(ListRoomsRequest::default()).await;
    last.expect_err("it is the last one by this connection");
    until("it has ended", || rig.handle.stats().connections == 0).await;
}

/// HEADERS on stream 1, 16,384 bytes, without END_HEADERS (RFC 9113, section 6.2).
const HALF_A_HEAD: [u8; 9] = [0, 64, 0, 1, 0, 0, 0, 0, 1];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_never_ends_is_cut() {
    let rig = Rig::with(|config| {
        config.transport.keep_alive = Duration::from_millis(100);
        config.transport.idle = Duration::from_millis(300);
    })
    .await;
    let mut half = support::wire::tls_stream(rig.address, &rig.pki).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    half.write_all(preface).await.expect("room to send");
    half.write_all(&HALF_A_HEAD).await.expect("room to send");
    // The rest byte by byte: nobody in the middle of a frame can answer a ping, and it takes longer than any test.
    let trickle = async {
        loop {
            if half.write_all(&[0x82]).await.is_err() {
                return;
            }
            // bounded: by the server's patience
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let cut = timeout(support::PATIENCE, trickle).await;
    cut.expect("it is cut in time");
    until("its place is free", || rig.handle.stats().connections == 0).await;
}

/// Asks for the status, and gives the answer no window.
async fn ask_and_never_read(rig: &Rig) -> impl AsyncRead + AsyncWrite + Unpin {
    let mut stream = support::wire::tls_stream(rig.address, &rig.pki).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of 0, then a whole call of GetStatus.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";
    stream.write_all(preface).await.expect("room to send");
    let text = |text: &str| {
        [
            &[u8::try_from(text.len()).expect("short")][..],
            text.as_bytes(),
        ]
        .concat()
    };
    let head = [
        &[0x83, 0x87, 0x04][..],
        &text("/stoa.control.v1.Node/GetStatus"),
        &[0x01],
        &text("stoa"),
        &[0x0f, 16],
        &text("application/grpc"),
        &[0x0f, 8],
        &text(&format!("Bearer {}", support::KEY)),
    ]
    .concat();
    let length = u8::try_from(head.len()).expect("short");
    let call = [
        &[0, 0, length, 1, 4, 0, 0, 0, 1][..],
        &head,
        &[0, 0, 5, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0],
    ]
    .concat();
    stream.write_all(&call).await.expect("room to send");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_never_reads_an_answer_is_cut() {
    let rig = Rig::with(|config| {
        config.transport.call = Duration::from_millis(300);
        config.transport.keep_alive = Duration::from_millis(100);
        // It is not for want of a pong.
        config.transport.idle = 4 * support::PATIENCE;
    })
    .await;
    let mut stream = ask_and_never_read(&rig).await;
    let mut read = Vec::new();
    let cut = timeout(support::PATIENCE / 2, stream.read_to_end(&mut read)).await;
    drop(cut.expect("it is cut in time"));
    assert!(
        read.windows(4).any(|frame| frame == [1, 4, 0, 0]),
        "it was answered"
    );
    until("its place is free", || rig.handle.stats().connections == 0).await;
}

support::on_both_transports!(a_tenant_has_as_many_calls_as_may_be);
async fn a_tenant_has_as_many_calls_as_may_be(wire: Wire) {
    let rig = Rig::with(|config| config.service.calls_of_a_tenant = 1).await;
    let unread = ask_and_never_read(&rig).await;
    let mut rooms = rig.rooms(wire);
    let refused = async {
        // Until the other one is there, it is this one that is under way alone.
        loop {
            if let Err(refused) = rooms.list_rooms(ListRoomsRequest::default()).await {
                return refused;
            }
        }
    };
    let refused = timeout(support::PATIENCE, refused).await;
    let refused = refused.expect("an answer that nobody takes is under way");
    let details = refused.get_details_error_info().expect("the reason");
    assert_eq!(details.reason, "NODE_OVERLOADED");
    assert!(refused.get_details_retry_info().is_some());
    drop(unread);
    until("its end makes room", || rig.handle.stats().connections == 1).await;
    let listed = rooms.list_rooms(ListRoomsRequest::default()).await;
    listed.expect("nothing else is under way");
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
