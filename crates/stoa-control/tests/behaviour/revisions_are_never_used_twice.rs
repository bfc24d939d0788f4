//! Whoever comes back with a revision of a room that is another one by now begins anew, and so does whoever comes
//! back to a node that was started anew. Nobody goes on from what never was.

use crate::support;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::support::{
    Rig, Rooms, Wire, assert_reason, create, join, media::Delivery, next, next_of_all, until,
    watch, watch_rooms,
};
use stoa_api::v1::{watch_response::Event, watch_rooms_response::Event as RoomsEvent, *};
use tonic::Code;

async fn close(rooms: &mut Rooms, room: &str) {
    let request = CloseRoomRequest {
        room_id: room.into(),
    };
    rooms.close_room(request).await.expect("it is closed");
}

/// The revision to continue a watch of all rooms from.
async fn revision(rooms: &mut Rooms) -> u64 {
    let mut events = watch_rooms(rooms, 0, false).await;
    loop {
        let message = next_of_all(&mut events).await;
        if let Some(RoomsEvent::SnapshotEnd(_)) = message.event {
            return message.revision;
        }
    }
}

support::on_both_transports!(a_room_created_again_under_its_name);
async fn a_room_created_again_under_its_name(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let mut last = 0;
    for life in 0..20 {
        let created = create(&mut rooms, "r").await;
        assert!(created.revision > last, "life {life}");
        assert!(created.revision < 1 << 53, "JavaScript can carry it");
        for name in ["a", "b", "c"] {
            last = join(&mut rooms, "r", name).await.room_revision;
        }
        assert_eq!(last, created.revision + 3);
        let mut events = watch(&mut rooms, "r", last).await;
        assert!(matches!(
            next(&mut events).await.event,
            Some(Event::Bookmark(_))
        ));
        close(&mut rooms, "r").await;
    }
    let created = create(&mut rooms, "r").await;
    for _ in 0..2 {
        // With the new room at fewer changes than the old one had, and at as many.
        let mut events = watch(&mut rooms, "r", last).await;
        let first = next(&mut events).await;
        let Some(Event::Snapshot(room)) = first.event else {
            panic!("{first:?}")
        };
        assert!(room.revision > last && room.create_time == created.create_time);
        for name in ["d", "e", "f"] {
            let _in_already = rooms.join(support::join_request("r", name)).await;
        }
    }
}

support::on_both_transports!(a_room_created_again_while_the_clock_stands);
async fn a_room_created_again_while_the_clock_stands(wire: Wire) {
    let rig = Rig::with(|config| config.clock = Arc::new(|| SystemTime::UNIX_EPOCH)).await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let last = join(&mut rooms, "r", "a").await.room_revision;
    close(&mut rooms, "r").await;
    let again = create(&mut rooms, "r").await;
    assert!(again.revision > last + 1, "the end had a revision, too");
    let mut events = watch(&mut rooms, "r", last).await;
    assert!(matches!(
        next(&mut events).await.event,
        Some(Event::Snapshot(_))
    ));
}

support::on_both_transports!(a_room_created_again_while_events_were_lost);
async fn a_room_created_again_while_events_were_lost(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let last = join(&mut rooms, "r", "a").await.room_revision;
    let of_all = revision(&mut rooms).await;
    rig.media.set_delivery(Delivery::Lost);
    let mut caller = rooms.clone();
    let again = tokio::spawn(async move {
        close(&mut caller, "r").await;
        create(&mut caller, "r").await;
        join(&mut caller, "r", "b").await.room_revision
    });
    // The call waits for what is lost.
    until("it is closed", || rig.media.lost() == 2).await;
    rig.media.report_loss();
    assert!(again.await.expect("no panic") > last);
    let mut events = watch(&mut rooms, "r", last).await;
    assert!(matches!(
        next(&mut events).await.event,
        Some(Event::Snapshot(_))
    ));
    let mut events = watch_rooms(&mut rooms, of_all, false).await;
    let first = next_of_all(&mut events).await;
    assert!(
        matches!(first.event, Some(RoomsEvent::SnapshotBegin(_))),
        "{first:?}"
    );
}

support::on_both_transports!(a_node_that_was_started_anew);
async fn a_node_that_was_started_anew(wire: Wire) {
    let first = Rig::start().await;
    let mut rooms = first.rooms(wire);
    create(&mut rooms, "r").await;
    for name in ["a", "b"] {
        join(&mut rooms, "r", name).await;
    }
    let last = join(&mut rooms, "r", "c").await.room_revision;
    let of_all = revision(&mut rooms).await;

    let second = Rig::start().await;
    let mut rooms = second.rooms(wire);
    create(&mut rooms, "r").await;
    let joined = join(&mut rooms, "r", "a").await;
    assert!(joined.room_revision > last);
    let mut events = watch(&mut rooms, "r", last).await;
    assert!(matches!(
        next(&mut events).await.event,
        Some(Event::Snapshot(_))
    ));
    let mut events = watch_rooms(&mut rooms, of_all, false).await;
    let message = next_of_all(&mut events).await;
    assert!(matches!(message.event, Some(RoomsEvent::SnapshotBegin(_))));

    // With a clock that was put back, what the caller knows has not happened yet.
    let past = SystemTime::now() - Duration::from_secs(3600);
    let third = Rig::with(|config| config.clock = Arc::new(move || past)).await;
    let mut rooms = third.rooms(wire);
    create(&mut rooms, "r").await;
    let request = WatchRequest {
        room_id: "r".into(),
        from_revision: last,
    };
    let refused = rooms.watch(request).await;
    assert_reason(refused, ErrorReason::RevisionInFuture, Code::OutOfRange);
    let request = WatchRoomsRequest {
        from_revision: of_all,
        active_speakers: false,
    };
    let refused = rooms.watch_rooms(request).await;
    assert_reason(refused, ErrorReason::RevisionInFuture, Code::OutOfRange);
}
