//! WatchRooms: the snapshot, the events of all rooms in one order, who is heard on request, bookmarks, why a room
//! is gone, and what becomes of it after a loss.

use crate::support;

use std::time::Duration;

use crate::support::{
    Rig, Wire, assert_reason, create, join, media::Delivery, next_of_all, until, watch_rooms,
};
use stoa_api::v1::{watch_response::Event, watch_rooms_response::Event as RoomsEvent, *};
use stoa_core::CloseReason;
use tonic::{Code, Streaming};

type Events = Streaming<WatchRoomsResponse>;

/// The next event of a room.
async fn event(events: &mut Events) -> (u64, String, WatchResponse) {
    let message = next_of_all(events).await;
    let Some(RoomsEvent::RoomEvent(RoomEvent { room_id, event })) = message.event else {
        panic!("{message:?}")
    };
    (message.revision, room_id, event.expect("there is one"))
}

support::on_both_transports!(snapshot_and_events);
async fn snapshot_and_events(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    for room in ["b", "a"] {
        create(&mut rooms, room).await;
        join(&mut rooms, room, "ann").await;
    }
    let mut events = watch_rooms(&mut rooms, 0, false).await;
    let first = next_of_all(&mut events).await;
    let begin = SnapshotBegin { room_count: 2 };
    assert_eq!(first.event, Some(RoomsEvent::SnapshotBegin(begin)));
    assert!(first.time.is_some());
    for name in ["a", "b"] {
        let Some(RoomsEvent::SnapshotRoom(room)) = next_of_all(&mut events).await.event else {
            panic!("two rooms")
        };
        assert_eq!((room.room_id.as_str(), room.participants.len()), (name, 1));
    }
    let end = next_of_all(&mut events).await;
    assert_eq!(end.event, Some(RoomsEvent::SnapshotEnd(SnapshotEnd {})));
    let base = end.revision;

    let created = create(&mut rooms, "c").await;
    let (revision, room_id, event) = event(&mut events).await;
    assert_eq!((revision, room_id.as_str()), (base + 1, "c"));
    let expected = RoomCreated {
        room: Some(created.clone()),
    };
    assert_eq!(
        (event.revision, event.event),
        (created.revision, Some(Event::RoomCreated(expected)))
    );
    // Nobody asked who is heard.
    rig.media.speak("a", "ann", 20);
    let joined = join(&mut rooms, "b", "ben").await;
    let (revision, room_id, event) = self::event(&mut events).await;
    assert_eq!((revision, room_id.as_str()), (base + 2, "b"));
    assert_eq!(event.revision, joined.room_revision);
    for (reason, expected) in [
        (CloseReason::Empty, RoomCloseReason::Empty),
        (CloseReason::Idle, RoomCloseReason::Idle),
        (CloseReason::NodeShutdown, RoomCloseReason::NodeShutdown),
        (CloseReason::Closed, RoomCloseReason::Closed),
    ] {
        if reason != CloseReason::Empty {
            create(&mut rooms, "c").await;
            self::event(&mut events).await;
        }
        rig.media.expire("c", reason);
        let (_, room_id, event) = self::event(&mut events).await;
        let closed = RoomClosed {
            reason: expected.into(),
        };
        assert_eq!(event.event, Some(Event::RoomClosed(closed)));
        assert_eq!(room_id, "c");
    }
}

support::on_both_transports!(who_is_heard_on_request);
async fn who_is_heard_on_request(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    for room in ["a", "b"] {
        create(&mut rooms, room).await;
        join(&mut rooms, room, "ann").await;
    }
    for loudness in 20..40 {
        rig.media.speak("a", "ann", loudness);
    }
    rig.media.speak("b", "ann", 50);
    // The mirror has all of it.
    join(&mut rooms, "b", "ben").await;
    let mut events = watch_rooms(&mut rooms, 0, true).await;
    let mut revision = 0;
    while revision == 0 {
        let message = next_of_all(&mut events).await;
        if let Some(RoomsEvent::SnapshotEnd(_)) = message.event {
            revision = message.revision;
        }
    }
    for (room, level) in [("a", 39), ("b", 50)] {
        let (at, room_id, event) = event(&mut events).await;
        assert_eq!((at, room_id.as_str()), (revision, room), "it is no change");
        let shown = rooms.get_room(GetRoomRequest {
            room_id: room.into(),
        });
        let shown = shown.await.expect("the room").into_inner();
        assert_eq!(event.revision, shown.revision);
        let Some(Event::ActiveSpeakers(heard)) = event.event else {
            panic!("{event:?}")
        };
        assert_eq!(heard.speakers[0].level_dbov, level, "the newest counts");
    }
}

support::on_both_transports!(bookmarks_may_be_continued_from);
async fn bookmarks_may_be_continued_from(wire: Wire) {
    let rig = Rig::with(|config| config.service.bookmark = Duration::from_millis(30)).await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "a").await;
    let mut events = watch_rooms(&mut rooms, 0, false).await;
    let bookmark = loop {
        let message = next_of_all(&mut events).await;
        if let Some(RoomsEvent::Bookmark(_)) = message.event {
            break message.revision;
        }
    };
    drop(events);
    for name in ["ann", "ben"] {
        join(&mut rooms, "a", name).await;
    }
    let mut events = watch_rooms(&mut rooms, bookmark, false).await;
    let first = next_of_all(&mut events).await;
    let expected = RoomsEvent::Bookmark(Bookmark {});
    assert_eq!((first.revision, first.event), (bookmark, Some(expected)));
    for later in 1..=2 {
        assert_eq!(event(&mut events).await.0, bookmark + later);
    }
    let request = WatchRoomsRequest {
        from_revision: bookmark + 3,
        active_speakers: false,
    };
    let refused = rooms.watch_rooms(request).await;
    assert_reason(refused, ErrorReason::RevisionInFuture, Code::OutOfRange);
}

support::on_both_transports!(after_a_loss_all_begin_anew);
async fn after_a_loss_all_begin_anew(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "a").await;
    join(&mut rooms, "a", "ann").await;
    let mut events = watch_rooms(&mut rooms, 0, false).await;
    while !matches!(
        next_of_all(&mut events).await.event,
        Some(RoomsEvent::SnapshotEnd(_))
    ) {}
    rig.media.set_delivery(Delivery::Lost);
    rig.media.connect("a", "ann");
    until("it is lost", || rig.media.lost() == 1).await;
    rig.media.report_loss();
    let message = next_of_all(&mut events).await;
    assert!(
        matches!(message.event, Some(RoomsEvent::SnapshotBegin(_))),
        "{message:?}"
    );
    let Some(RoomsEvent::SnapshotRoom(room)) = next_of_all(&mut events).await.event else {
        panic!("there is a room")
    };
    assert_eq!(room.participants[0].state(), ConnectionState::Connected);
    assert_eq!(rig.handle.stats().resyncs, 1);
}

support::on_both_transports!(they_end_with_the_node_and_count_as_watches);
async fn they_end_with_the_node_and_count_as_watches(wire: Wire) {
    let mut rig = Rig::with(|config| config.service.watchers = 1).await;
    let mut rooms = rig.rooms(wire);
    let mut events = watch_rooms(&mut rooms, 0, false).await;
    next_of_all(&mut events).await;
    let refused = rooms.watch_rooms(WatchRoomsRequest::default()).await;
    assert_reason(
        refused,
        ErrorReason::WatchLimitReached,
        Code::ResourceExhausted,
    );
    rig.begin_stop();
    let ended = loop {
        match events.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ends as if all were well"),
            Err(status) => break status,
        }
    };
    assert_reason(
        Err::<(), _>(ended),
        ErrorReason::NodeDraining,
        Code::Unavailable,
    );
}
