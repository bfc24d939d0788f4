//! A watcher that does not read holds nobody up and misses nothing silently: once it reads again it is given a
//! snapshot, and that is counted.

use crate::support;

use std::time::Duration;

use crate::support::{
    Rig, Rooms, Wire, create, join, known::Known, next, next_of_all, watch, watch_rooms,
};
use stoa_api::v1::{watch_response::Event, *};
use tokio::time::timeout;

/// More than what fits into the windows and buffers between both sides.
const CHANGES: usize = 1_500;

/// A change that is as large as one can be.
async fn change(rooms: &mut Rooms, turn: usize) {
    let metadata = [("k".to_owned(), format!("{turn:04000}"))].into();
    let request = UpdateParticipantRequest {
        room_id: "r".into(),
        participant: Some(Participant {
            participant_id: "a".into(),
            metadata,
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["metadata".into()],
        }),
    };
    // Not held up by anybody.
    let changed = timeout(Duration::from_secs(10), rooms.update_participant(request)).await;
    changed.expect("in time").expect("a change");
}

support::on_both_transports!(of_one_room_and_of_all);
async fn of_one_room_and_of_all(wire: Wire) {
    let rig = Rig::with(|config| {
        config.service.events_per_room = 8;
        config.service.events_per_tenant = 8;
    })
    .await;
    let (mut rooms, mut slow) = (rig.rooms(wire), rig.rooms(wire));
    create(&mut rooms, "r").await;
    join(&mut rooms, "r", "a").await;
    let mut of_one = watch(&mut slow, "r", 0).await;
    let mut of_all = watch_rooms(&mut slow, 0, false).await;
    for turn in 0..CHANGES {
        change(&mut rooms, turn).await;
    }
    let request = GetRoomRequest {
        room_id: "r".into(),
    };
    let truly = rooms
        .get_room(request)
        .await
        .expect("the room")
        .into_inner();

    let (mut known, mut snapshots) = (Known::default(), 0);
    while known.rooms.get("r") != Some(&truly) {
        let message = next(&mut of_one).await;
        snapshots += usize::from(matches!(message.event, Some(Event::Snapshot(_))));
        known.take("r", message);
    }
    // One at the beginning, and one instead of what was missed. On a busy machine the server itself may fall behind
    // its log before the client's window is full: that is one more each time.
    assert!(snapshots >= 2, "{snapshots}");
    assert!(known.seen.len() < CHANGES);

    let mut known = Known::default();
    while known.rooms.get("r") != Some(&truly) || known.from == 0 {
        known.take_all(next_of_all(&mut of_all).await);
    }
    assert!(known.begun >= 2, "{}", known.begun);
    assert!(known.seen.len() < CHANGES);
    let begun_anew = (snapshots - 1) + (known.begun - 1);
    assert_eq!(rig.handle.stats().resyncs, begun_anew as u64);
}
