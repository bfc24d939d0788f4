//! A thousand watchers of a room, and a thousand of all rooms, see what happens.

use crate::support;

use crate::support::{Rig, Wire, create, join, next, next_of_all, until, watch, watch_rooms};
use stoa_api::v1::{watch_response::Event, watch_rooms_response::Event as RoomsEvent};

const WATCHERS: usize = 1_000;

support::on_both_transports!(one_room);
async fn one_room(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let created = create(&mut rooms, "r").await.revision;
    let mut all = Vec::new();
    for _ in 0..WATCHERS {
        all.push(watch(&mut rooms, "r", 0).await);
    }
    assert_eq!(rig.handle.stats().watchers, WATCHERS);
    for name in ["a", "b", "c"] {
        join(&mut rooms, "r", name).await;
    }
    for events in &mut all {
        let mut at = 0;
        while at < created + 3 {
            let message = next(events).await;
            if !matches!(message.event, Some(Event::Snapshot(_))) {
                assert_eq!(message.revision, at + 1);
            }
            at = message.revision;
        }
    }
    assert_eq!(rig.handle.stats().resyncs, 0);
    drop(all);
    until("all watchers are gone", || rig.handle.stats().watchers == 0).await;
}

support::on_both_transports!(all_rooms);
async fn all_rooms(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    for room in ["a", "b"] {
        create(&mut rooms, room).await;
    }
    let mut all = Vec::new();
    for _ in 0..WATCHERS {
        all.push(watch_rooms(&mut rooms, 0, false).await);
    }
    let last = join(&mut rooms, "b", "last").await.room_revision;
    for events in &mut all {
        loop {
            let seen = match next_of_all(events).await.event {
                Some(RoomsEvent::SnapshotRoom(room)) => room.revision,
                Some(RoomsEvent::RoomEvent(event)) => event.event.expect("there is one").revision,
                _ => 0,
            };
            if seen == last {
                break;
            }
        }
    }
    assert_eq!(rig.handle.stats().resyncs, 0);
    drop(all);
    until("all watchers are gone", || rig.handle.stats().watchers == 0).await;
}
