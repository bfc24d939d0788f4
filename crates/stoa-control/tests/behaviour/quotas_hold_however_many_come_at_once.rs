//! However many come at once, there are never more than a quota allows, and no place is lost.

use crate::support;

use std::sync::{Arc, atomic::Ordering};

use crate::support::{
    Wire, create, create_request, join, join_request,
    quotas::{assert_quota, rig},
    removal, until,
};
use stoa_api::v1::*;
use stoa_control::Quotas;
use stoa_core::{RoomEvent as CoreEvent, RoomEventKind};
use tokio::task::JoinSet;

/// The most participants that were ever in the room.
fn most_at_once(history: &[CoreEvent], room: &str) -> usize {
    let events = history.iter().filter(|event| event.room.name() == room);
    let (_, most) = events.fold((0_usize, 0), |(now, most), event| {
        let now = match event.kind {
            RoomEventKind::Joined(_) => now + 1,
            RoomEventKind::Left { .. } => now - 1,
            _ => now,
        };
        (now, most.max(now))
    });
    most
}

support::on_both_transports!(many_rooms_at_once);
async fn many_rooms_at_once(wire: Wire) {
    let rig = rig(Quotas {
        rooms: Some(3),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    // Those that may go on wait at the media workers, until all others have their answer.
    rig.media.set_open(false);
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let mut rooms = rooms.clone();
        let request = create_request(&format!("r{number}"), "");
        calls.spawn(async move { rooms.create_room(request).await });
    }
    let mut made = 0;
    while let Some(answer) = calls.join_next().await {
        match answer.expect("no panic") {
            Ok(_) => made += 1,
            refused => assert_quota(refused, "rooms", 3),
        }
        if calls.len() == 3 {
            rig.media.set_open(true);
        }
    }
    assert_eq!(made, 3);
    let list = rooms.list_rooms(ListRoomsRequest::default()).await;
    assert_eq!(list.expect("a list").get_ref().rooms.len(), 3);
}

support::on_both_transports!(never_more_than_the_limit_however_many_come_at_once);
async fn never_more_than_the_limit_however_many_come_at_once(wire: Wire) {
    const LIMIT: usize = 5;
    let rig = rig(Quotas {
        participants_per_room: Some(LIMIT),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let mut people = JoinSet::new();
    for number in 0..60 {
        let mut rooms = rooms.clone();
        people.spawn(async move {
            let name = format!("p{number}");
            let mut joined = 0;
            for _ in 0..10 {
                match rooms.join(join_request("r", &name)).await {
                    Ok(_) => {
                        joined += 1;
                        let out = rooms.remove_participant(removal("r", &name)).await;
                        out.expect("they were in");
                    }
                    refused => assert_quota(refused, "participants_per_room", LIMIT),
                }
            }
            joined
        });
    }
    let mut joined = 0;
    while let Some(count) = people.join_next().await {
        joined += count.expect("no panic");
    }
    assert!(joined >= LIMIT);
    let most = most_at_once(&rig.media.history(), "r");
    assert!((1..=LIMIT).contains(&most), "{most} at once");
    // No place was lost.
    for number in 0..LIMIT {
        join(&mut rooms, "r", &format!("q{number}")).await;
    }
    let beyond = rooms.join(join_request("r", "q")).await;
    assert_quota(beyond, "participants_per_room", LIMIT);
    assert_eq!(most_at_once(&rig.media.history(), "r"), LIMIT);
}

support::on_both_transports!(joins_under_way_count);
async fn joins_under_way_count(wire: Wire) {
    let rig = rig(Quotas {
        participants: Some(2),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    rig.media.set_open(false);
    let begun = rig.media.commands.load(Ordering::SeqCst);
    let mut joins = JoinSet::new();
    for name in ["a", "b"] {
        let mut rooms = rooms.clone();
        joins.spawn(async move { rooms.join(join_request("r", name)).await });
    }
    let media = Arc::clone(&rig.media);
    until("both are under way", || {
        media.commands.load(Ordering::SeqCst) == begun + 2
    })
    .await;
    let beyond = rooms.join(join_request("r", "c")).await;
    assert_quota(beyond, "participants", 2);
    rig.media.set_open(true);
    while let Some(joined) = joins.join_next().await {
        joined.expect("no panic").expect("they had a place");
    }
}
