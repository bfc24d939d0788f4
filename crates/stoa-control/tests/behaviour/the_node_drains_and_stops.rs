//! Draining refuses what is new; stopping ends what is old.

use crate::support;

use std::time::{Duration, Instant, SystemTime};

use crate::support::{
    Identity, Rig, Wire, assert_reason, create, create_request, end, join, join_request, next,
    until, watch,
};
use stoa_api::v1::{watch_response::Event, *};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

support::on_both_transports!(a_draining_node_takes_nothing_new);
async fn a_draining_node_takes_nothing_new(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let mut node = rig.node(wire);
    let mut health = HealthClient::new(rig.service(wire, Identity::Nobody));
    create(&mut rooms, "r").await;
    let request = JoinRequest {
        request_id: "1".into(),
        ..join_request("r", "a")
    };
    let joined = rooms
        .join(request.clone())
        .await
        .expect("they are let in")
        .into_inner();
    let mut events = watch(&mut rooms, "r", 0).await;
    next(&mut events).await;
    let status = node
        .get_status(GetStatusRequest {})
        .await
        .expect("a status")
        .into_inner();
    assert_eq!(status.state(), NodeState::Serving);
    assert_eq!(
        (
            status.version.as_str(),
            status.room_count,
            status.participant_count
        ),
        ("1.2.3", 1, 1)
    );
    assert_eq!(
        (
            status.workers[0].port,
            status.workers[0].datagrams_dropped["unknown"]
        ),
        (40_000, 3)
    );

    let deadline = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let mut all = rooms
        .watch_rooms(WatchRoomsRequest::default())
        .await
        .expect("a watch")
        .into_inner();
    assert_eq!(rig.handle.start_ending(deadline), deadline);
    let updated = NodeUpdated {
        state: NodeState::Draining.into(),
        drain_deadline: Some(prost_types::Timestamp {
            seconds: 4_000_000_000,
            nanos: 0,
        }),
    };
    let told = next(&mut events).await;
    assert_eq!(told.revision, joined.room_revision, "the room is as it was");
    assert_eq!(told.event, Some(Event::NodeUpdated(updated)));
    loop {
        let message = all.message().await.expect("no error").expect("no end");
        if let Some(watch_rooms_response::Event::NodeUpdated(told)) = message.event {
            assert_eq!(told, updated);
            break;
        }
    }
    assert!(!rig.handle.stop_draining(), "it ends by its deadline");
    let refused = rooms.create_room(create_request("new", "")).await;
    assert_reason(refused, ErrorReason::NodeDraining, Code::Unavailable);
    let refused = rooms.join(join_request("r", "b")).await;
    assert_reason(refused, ErrorReason::NodeDraining, Code::Unavailable);
    let again = rooms
        .join(request)
        .await
        .expect("the first answer")
        .into_inner();
    assert_eq!(again, joined);
    let status = node
        .get_status(GetStatusRequest {})
        .await
        .expect("a status")
        .into_inner();
    assert_eq!(status.state(), NodeState::Draining);
    assert_eq!(status.drain_deadline, updated.drain_deadline);

    // What runs goes on.
    rig.media.connect("r", "a");
    let event = next(&mut events).await;
    assert_eq!(event.revision, joined.room_revision + 1);
    let mut late = watch(&mut rooms, "r", 0).await;
    next(&mut late).await;
    let told = next(&mut late).await;
    assert_eq!(told.event, Some(Event::NodeUpdated(updated)));
    loop {
        let answer = health
            .check(HealthCheckRequest::default())
            .await
            .expect("an answer");
        if answer.get_ref().status() == ServingStatus::NotServing {
            break;
        }
        tokio::task::yield_now().await;
    }
}

support::on_both_transports!(a_stopping_node_ends_its_streams_and_connections);
async fn a_stopping_node_ends_its_streams_and_connections(wire: Wire) {
    let grace = Duration::from_secs(30);
    let mut rig = Rig::with(|config| config.transport.grace = grace).await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    join(&mut rooms, "r", "a").await;
    let mut events = watch(&mut rooms, "r", 0).await;
    next(&mut events).await;
    let mut health = HealthClient::new(rig.service(wire, Identity::Nobody));
    let mut checks = health
        .watch(HealthCheckRequest::default())
        .await
        .expect("a watch")
        .into_inner();
    checks
        .message()
        .await
        .expect("no error")
        .expect("the first");

    // A call that is under way comes to its end.
    rig.media.set_open(false);
    let mut caller = rooms.clone();
    let joining = tokio::spawn(async move { caller.join(join_request("r", "b")).await });
    until("it has begun", || {
        rig.media.commands.load(std::sync::atomic::Ordering::SeqCst) == 3
    })
    .await;

    let begin = Instant::now();
    rig.begin_stop();
    let ended = end(&mut events).await;
    assert_reason(ended, ErrorReason::NodeDraining, Code::Unavailable);
    let ended = checks.message().await;
    let status = assert_reason_or_change(ended, &mut checks).await;
    assert_eq!(status.code(), Code::Unavailable);
    rig.media.set_open(true);
    let joined = joining
        .await
        .expect("no panic")
        .expect("it had begun")
        .into_inner();
    assert!(joined.room_revision > 0);
    let handle = rig.handle.clone();
    rig.stopped().await;
    assert!(begin.elapsed() < grace / 2, "it took {:?}", begin.elapsed());
    assert_eq!(
        (handle.stats().connections, handle.stats().watchers),
        (0, 0)
    );
}

/// The health stream may tell of NOT_SERVING before it ends.
async fn assert_reason_or_change(
    ended: Result<Option<tonic_health::pb::HealthCheckResponse>, tonic::Status>,
    checks: &mut tonic::Streaming<tonic_health::pb::HealthCheckResponse>,
) -> tonic::Status {
    match ended {
        Err(status) => status,
        Ok(change) => {
            assert_eq!(
                change.expect("not a plain end").status(),
                ServingStatus::NotServing
            );
            checks.message().await.expect_err("the end")
        }
    }
}

support::on_both_transports!(calls_that_do_not_end_are_cut_after_the_grace);
async fn calls_that_do_not_end_are_cut_after_the_grace(wire: Wire) {
    let mut rig = Rig::with(|config| config.transport.grace = Duration::from_millis(100)).await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    rig.media.set_open(false);
    let joining = tokio::spawn(async move { rooms.join(join_request("r", "b")).await });
    until("it has begun", || {
        rig.media.commands.load(std::sync::atomic::Ordering::SeqCst) == 2
    })
    .await;
    rig.begin_stop();
    let media = rig.media.clone();
    rig.stopped().await;
    joining.await.expect("no panic").expect_err("it was cut");
    media.set_open(true);
}
