//! A room in which nobody is ends after its empty timeout, counted from its creation or from when the last one
//! left. Without one it stays.

use std::time::Duration;

use stoa_core::{CloseReason, RoomEventKind, RoomSettings, RoomTimeout, RoomUpdate};
use stoa_sim::{Net, oracle, room};

const TIMEOUT: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(1);

fn settings() -> RoomSettings {
    RoomSettings {
        empty_timeout: RoomTimeout::new(TIMEOUT),
        ..RoomSettings::default()
    }
}

fn set(net: &mut Net, timeout: Option<Duration>) {
    net.update_room(RoomUpdate {
        empty_timeout: Some(timeout.and_then(RoomTimeout::new)),
        ..RoomUpdate::default()
    });
}

/// When and why a room ended.
fn ended(net: &Net, name: &str) -> Option<(Duration, CloseReason)> {
    net.events.iter().find_map(|(at, event)| match event.kind {
        RoomEventKind::Closed(reason) if event.room == room(name) => Some((*at, reason)),
        _ => None,
    })
}

#[test]
fn a_room_to_which_nobody_comes() {
    let mut net = Net::new();
    net.run_for(Duration::from_secs(5));
    let created = net.node.create_room(net.now(), room("new"), settings());
    created.unwrap();
    net.drain_node();
    let created_at = net.elapsed();
    net.run_for(TIMEOUT * 10);
    let expected = (created_at + TIMEOUT, CloseReason::Empty);
    assert_eq!(ended(&net, "new"), Some(expected));
    assert_eq!(ended(&net, "room"), None, "the other one has no timeout");
    oracle::assert_holds(&net);
    // Its name is free.
    net.create_room("new");
}

#[test]
fn a_room_that_the_last_one_has_left() {
    let mut net = Net::new();
    set(&mut net, Some(TIMEOUT));
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.run_for(TIMEOUT * 3);
    net.remove(ann).unwrap();
    net.run_for(TIMEOUT * 3);
    assert_eq!(ended(&net, "room"), None, "Ben is in it");
    net.hang_up(ben);
    net.run_until("Ben is gone", |net| !net.is_in(ben));
    let left_at = net.elapsed();
    net.run_for(TIMEOUT - TICK);
    assert_eq!(ended(&net, "room"), None, "its time is not over");
    net.run_for(TICK);
    let expected = (left_at + TIMEOUT, CloseReason::Empty);
    assert_eq!(ended(&net, "room"), Some(expected));
    oracle::assert_holds(&net);
}

#[test]
fn whoever_comes_in_time_keeps_it_open() {
    let mut net = Net::new();
    set(&mut net, Some(TIMEOUT));
    for name in ["ann", "ben", "cal"] {
        net.run_for(TIMEOUT - Duration::from_secs(1));
        let id = net.join("somebody", 1);
        net.run_for(TIMEOUT * 2);
        net.remove(id).unwrap();
        assert_eq!(ended(&net, "room"), None, "{name} came in time");
    }
    oracle::assert_holds(&net);
}

#[test]
fn who_vanished_is_in_the_room_until_that_is_noticed() {
    let mut net = Net::new();
    set(
        &mut net,
        RoomTimeout::new(Duration::from_secs(1)).map(RoomTimeout::duration),
    );
    let ann = net.join("ann", 3);
    net.vanish(ann);
    net.run_for(Duration::from_secs(10));
    assert_eq!(ended(&net, "room"), None, "she may come back");
    net.run_for(Duration::from_secs(120));
    assert!(ended(&net, "room").is_some());
    oracle::assert_holds(&net);
}

#[test]
fn the_timeout_counts_from_when_the_room_became_empty() {
    let mut net = Net::new();
    net.run_for(TIMEOUT / 2);
    set(&mut net, Some(TIMEOUT));
    net.run_for(TIMEOUT / 4);
    set(&mut net, None);
    net.run_for(TIMEOUT * 2);
    assert_eq!(ended(&net, "room"), None, "it was taken back");
    set(&mut net, Some(TIMEOUT));
    let set_at = net.elapsed();
    net.run_for(TICK);
    let expected = (set_at, CloseReason::Empty);
    assert_eq!(ended(&net, "room"), Some(expected), "its time was over");
    oracle::assert_holds(&net);
}
