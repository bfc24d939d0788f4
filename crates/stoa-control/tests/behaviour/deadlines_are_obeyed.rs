//! `grpc-timeout` and the node's own maximum, on unary calls and on streams. The clients here obey
//! no deadline themselves.

use crate::support;

use std::time::Duration;

use crate::support::{
    KEY, Rig, Rooms, Wire, assert_reason, create, join_request, next, until, wire::bare,
};
use stoa_api::v1::{rooms_client::RoomsClient, watch_response::Event, *};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

async fn rooms(rig: &Rig, wire: Wire) -> Rooms {
    RoomsClient::new(bare(wire, rig.address, &rig.pki, KEY).await)
}

support::on_both_transports!(a_unary_call_ends);
async fn a_unary_call_ends(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rooms(&rig, wire).await;
    create(&mut rooms, "r").await;
    rig.media.set_open(false);
    let mut request = Request::new(join_request("r", "a"));
    request.set_timeout(Duration::from_millis(50));
    let late = rooms.join(request).await;
    assert_reason(late, ErrorReason::DeadlinePassed, Code::DeadlineExceeded);
}

support::on_both_transports!(a_unary_call_without_a_deadline_ends_too);
async fn a_unary_call_without_a_deadline_ends_too(wire: Wire) {
    let rig = Rig::with(|config| config.transport.call = Duration::from_millis(50)).await;
    let mut rooms = rooms(&rig, wire).await;
    rig.media.set_open(false);
    let late = rooms.join(join_request("r", "a")).await;
    assert_reason(late, ErrorReason::DeadlinePassed, Code::DeadlineExceeded);
}

support::on_both_transports!(a_stream_ends);
async fn a_stream_ends(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rooms(&rig, wire).await;
    create(&mut rooms, "r").await;
    let mut request = Request::new(WatchRequest {
        room_id: "r".into(),
        from_revision: 0,
    });
    request.set_timeout(Duration::from_millis(300));
    let mut events = rooms.watch(request).await.expect("a watch").into_inner();
    assert!(matches!(
        next(&mut events).await.event,
        Some(Event::Snapshot(_))
    ));
    let late = events.message().await;
    assert_reason(late, ErrorReason::DeadlinePassed, Code::DeadlineExceeded);
    until("the watcher is gone", || rig.handle.stats().watchers == 0).await;
}

support::on_both_transports!(the_maximum_for_unary_calls_is_not_for_streams);
async fn the_maximum_for_unary_calls_is_not_for_streams(wire: Wire) {
    let rig = Rig::with(|config| {
        config.transport.call = Duration::from_millis(500);
        config.service.bookmark = Duration::from_millis(600);
    })
    .await;
    let mut rooms = rooms(&rig, wire).await;
    create(&mut rooms, "r").await;
    let mut events = support::watch(&mut rooms, "r", 0).await;
    next(&mut events).await;
    for _ in 0..2 {
        assert!(matches!(
            next(&mut events).await.event,
            Some(Event::Bookmark(_))
        ));
    }
}

support::on_both_transports!(a_timeout_that_is_none_is_refused);
async fn a_timeout_that_is_none_is_refused(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rooms(&rig, wire).await;
    let mut request = Request::new(ListRoomsRequest::default());
    request
        .metadata_mut()
        .insert("grpc-timeout", "soon".parse().expect("a value"));
    let refused = rooms.list_rooms(request).await;
    let status = assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
    let bad = status.get_details_bad_request().expect("there is one");
    assert_eq!(bad.field_violations[0].field, "grpc-timeout");
}

#[tokio::test]
async fn the_client_gives_up_by_itself_when_nobody_answers() {
    // Bound, and never served: the handshake gets no answer.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("it is bound");
    let pki = support::pki::Pki::new();
    let client = support::wire::client(address, &pki, support::Identity::Key(KEY));
    let mut request = Request::new(ListRoomsRequest::default());
    request.set_timeout(Duration::from_millis(50));
    let late = client.rooms().list_rooms(request).await;
    assert_reason(late, ErrorReason::DeadlinePassed, Code::DeadlineExceeded);
}
