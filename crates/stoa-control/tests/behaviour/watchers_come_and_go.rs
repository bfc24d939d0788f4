//! How many watch, and that whoever goes away is noticed.

use crate::support;

use crate::support::{Rig, Wire, assert_reason, create, next, until, watch};
use stoa_api::v1::*;
use tonic::Code;

support::on_both_transports!(a_cancelled_watch_is_dropped);
async fn a_cancelled_watch_is_dropped(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let created = create(&mut rooms, "r").await;
    let mut kept = watch(&mut rooms, "r", 0).await;
    let mut dropped = watch(&mut rooms, "r", 0).await;
    next(&mut kept).await;
    next(&mut dropped).await;
    assert_eq!(rig.handle.stats().watchers, 2);
    drop(dropped);
    until("one watcher is left", || rig.handle.stats().watchers == 1).await;
    support::join(&mut rooms, "r", "a").await;
    let event = next(&mut kept).await;
    assert_eq!(
        event.revision,
        created.revision + 1,
        "the other one goes on"
    );
}

support::on_both_transports!(a_lost_connection_ends_its_watches);
async fn a_lost_connection_ends_its_watches(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let mut events = watch(&mut rooms, "r", 0).await;
    next(&mut events).await;
    drop((events, rooms));
    until("the connection is gone", || {
        rig.handle.stats().connections == 0
    })
    .await;
    assert_eq!(rig.handle.stats().watchers, 0);
}

support::on_both_transports!(watches_have_a_limit);
async fn watches_have_a_limit(wire: Wire) {
    let rig = Rig::with(|config| config.service.watchers = 1).await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let mut first = watch(&mut rooms, "r", 0).await;
    next(&mut first).await;
    let request = || WatchRequest {
        room_id: "r".into(),
        from_revision: 0,
    };
    let refused = rooms.watch(request()).await;
    assert_reason(
        refused,
        ErrorReason::WatchLimitReached,
        Code::ResourceExhausted,
    );
    drop(first);
    until("its place is free", || rig.handle.stats().watchers == 0).await;
    rooms.watch(request()).await.expect("there is a place");
}
