//! Watch: the snapshot, the events, the resumption, the bookmarks, the end.

use crate::support;

use std::time::Duration;

use crate::support::{
    Rig, Wire, assert_reason, create, end, join, media::Delivery, next, until, watch,
};
use stoa_api::v1::{watch_response::Event, *};
use stoa_core::LeaveReason as Reason;
use tonic::Code;

support::on_both_transports!(a_room_s_life);
async fn a_room_s_life(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let room = create(&mut rooms, "r").await;
    let created = room.revision;
    let mut events = watch(&mut rooms, "r", 0).await;
    let first = next(&mut events).await;
    assert_eq!(
        (first.revision, first.event),
        (created, Some(Event::Snapshot(room)))
    );
    assert!(first.time.is_some());

    let joined = join(&mut rooms, "r", "a")
        .await
        .participant
        .expect("there is one");
    let event = next(&mut events).await;
    let expected = ParticipantJoined {
        participant: Some(joined.clone()),
    };
    assert_eq!(
        (event.revision, event.event),
        (created + 1, Some(Event::ParticipantJoined(expected)))
    );

    rig.media.connect("r", "a");
    let event = next(&mut events).await;
    let connected = Participant {
        state: ConnectionState::Connected.into(),
        ..joined.clone()
    };
    let expected = ParticipantConnected {
        participant: Some(connected),
    };
    assert_eq!(
        (event.revision, event.event),
        (created + 2, Some(Event::ParticipantConnected(expected)))
    );

    rig.media.speak("r", "a", 20);
    let event = next(&mut events).await;
    let speaker = ActiveSpeaker {
        participant_id: "a".into(),
        level_dbov: 20,
    };
    let expected = ActiveSpeakers {
        speakers: vec![speaker],
        dominant_participant_id: "a".into(),
    };
    assert_eq!(
        (event.revision, event.event),
        (created + 2, Some(Event::ActiveSpeakers(expected)))
    );

    rig.media.leave("r", "a", Reason::IceTimeout);
    let event = next(&mut events).await;
    let expected = ParticipantLeft {
        participant_id: "a".into(),
        session_id: joined.session_id,
        reason: LeaveReason::IceTimeout.into(),
        return_advice: ReturnAdvice::Here.into(),
    };
    assert_eq!(
        (event.revision, event.event),
        (created + 3, Some(Event::ParticipantLeft(expected)))
    );

    rooms
        .close_room(CloseRoomRequest {
            room_id: "r".into(),
        })
        .await
        .expect("it is closed");
    let event = next(&mut events).await;
    assert_eq!(
        (event.revision, event.event),
        (
            created + 4,
            Some(Event::RoomClosed(RoomClosed {
                reason: RoomCloseReason::Closed.into()
            }))
        )
    );
    end(&mut events).await.expect("the stream ends with OK");
    until("the watcher is gone", || rig.handle.stats().watchers == 0).await;
}

support::on_both_transports!(a_watch_resumes_where_it_was);
async fn a_watch_resumes_where_it_was(wire: Wire) {
    let rig = Rig::with(|config| config.service.events_per_room = 3).await;
    let mut rooms = rig.rooms(wire);
    let created = create(&mut rooms, "r").await.revision;
    for name in ["a", "b", "c", "d", "e"] {
        join(&mut rooms, "r", name).await;
    }
    let mut events = watch(&mut rooms, "r", created + 2).await;
    let first = next(&mut events).await;
    assert_eq!(
        (first.revision, first.event),
        (created + 2, Some(Event::Bookmark(Bookmark {})))
    );
    for (later, name) in [(3, "c"), (4, "d"), (5, "e")] {
        let event = next(&mut events).await;
        let Some(Event::ParticipantJoined(joined)) = event.event else {
            panic!("{event:?}")
        };
        let joined = joined.participant.expect("there is one").participant_id;
        assert_eq!((event.revision, joined.as_str()), (created + later, name));
    }

    let mut events = watch(&mut rooms, "r", created + 1).await;
    let first = next(&mut events).await;
    let Some(Event::Snapshot(room)) = first.event else {
        panic!("that is no longer held: {first:?}")
    };
    assert_eq!(
        (
            first.revision,
            room.participant_count,
            room.participants.len()
        ),
        (created + 5, 5, 5)
    );

    let request = WatchRequest {
        room_id: "r".into(),
        from_revision: created + 6,
    };
    let refused = rooms.watch(request).await;
    assert_reason(refused, ErrorReason::RevisionInFuture, Code::OutOfRange);
    let current = watch(&mut rooms, "r", created + 5).await;
    drop(current);
}

support::on_both_transports!(silence_brings_bookmarks);
async fn silence_brings_bookmarks(wire: Wire) {
    let rig = Rig::with(|config| config.service.bookmark = Duration::from_millis(30)).await;
    let mut rooms = rig.rooms(wire);
    let created = create(&mut rooms, "r").await;
    let mut events = watch(&mut rooms, "r", 0).await;
    next(&mut events).await;
    for _ in 0..2 {
        let event = next(&mut events).await;
        assert_eq!(
            (event.revision, event.event),
            (created.revision, Some(Event::Bookmark(Bookmark {})))
        );
    }
    join(&mut rooms, "r", "a").await;
    loop {
        let event = next(&mut events).await;
        match event.event {
            Some(Event::Bookmark(_)) => {}
            Some(Event::ParticipantJoined(_)) => break,
            _ => panic!("{event:?}"),
        }
    }
}

support::on_both_transports!(after_a_loss_the_changed_rooms_are_told_anew);
async fn after_a_loss_the_changed_rooms_are_told_anew(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let mut joined = Vec::new();
    for room in ["changed", "same", "closed"] {
        create(&mut rooms, room).await;
        joined.push(join(&mut rooms, room, "a").await.room_revision);
    }
    let mut changed = watch(&mut rooms, "changed", joined[0]).await;
    let mut same = watch(&mut rooms, "same", joined[1]).await;
    let mut closed = watch(&mut rooms, "closed", joined[2]).await;
    for events in [&mut changed, &mut same, &mut closed] {
        assert!(matches!(next(events).await.event, Some(Event::Bookmark(_))));
    }

    rig.media.set_delivery(Delivery::Lost);
    rig.media.connect("changed", "a");
    let mut caller = rooms.clone();
    let closing = tokio::spawn(async move {
        caller
            .close_room(CloseRoomRequest {
                room_id: "closed".into(),
            })
            .await
    });
    until("it has happened", || rig.media.lost() == 3).await;
    rooms
        .list_rooms(ListRoomsRequest::default())
        .await
        .expect("a list");
    rig.media.report_loss();
    closing.await.expect("no panic").expect("it is closed");

    let event = next(&mut changed).await;
    let Some(Event::Snapshot(room)) = event.event else {
        panic!("{event:?}")
    };
    assert_eq!(room.participants[0].state(), ConnectionState::Connected);
    let event = next(&mut closed).await;
    assert!(
        matches!(event.event, Some(Event::RoomClosed(_))),
        "{event:?}"
    );
    end(&mut closed).await.expect("the stream ends with OK");
    // Nothing of this one was lost: it goes on with the next event.
    join(&mut rooms, "same", "b").await;
    let event = next(&mut same).await;
    assert!(
        matches!(event.event, Some(Event::ParticipantJoined(_))),
        "{event:?}"
    );
    assert_eq!(event.revision, joined[1] + 1);
}
