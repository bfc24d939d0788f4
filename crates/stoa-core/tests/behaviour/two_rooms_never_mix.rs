//! What happens in one room is neither heard nor seen in another, whatever the names are.

use std::time::Duration;

use stoa_core::{RoomEvent, RoomEventKind};
use stoa_sim::{Net, oracle, participant, room};

#[test]
fn voices_events_and_names_stay_in_their_room() {
    let mut net = Net::new();
    net.node
        .create_room(net.now(), room("other"), Default::default())
        .unwrap();
    net.drain_node();
    // The same names on both sides.
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let ann_too = net.join_room("other", "ann", 3);
    let ben_too = net.join_room("other", "ben", 3);
    // One room is much louder than the other: its speakers must not take the other one's slots.
    let speakers = [(ann, 10), (ben, 12), (ann_too, 55), (ben_too, 55)];
    net.speak(&speakers, Duration::from_secs(3));
    net.run_for(Duration::from_millis(50));

    for (listener, voice) in [
        (ann, ben),
        (ben, ann),
        (ann_too, ben_too),
        (ben_too, ann_too),
    ] {
        assert_eq!(net.clients[listener].voices(), [voice]);
        assert_eq!(net.clients[listener].heard.len(), 150);
    }

    oracle::assert_holds(&net);
    let revision = net.snapshot("other").revision;
    net.node.close_room(net.now(), &room("room")).unwrap();
    net.drain_node();
    net.forget_heard();
    net.speak(&speakers[2..], Duration::from_secs(1));
    assert!(net.clients[ann].closed && net.clients[ben].closed);
    assert_eq!(net.clients[ann_too].voices(), [ben_too]);
    assert_eq!(net.snapshot("other").revision, revision);
    assert_eq!(net.stats().participants, 2);
    oracle::assert_holds(&net);
    let gone = |event: &RoomEvent| matches!(event.kind, RoomEventKind::Left { .. });
    let mut events = net.events.iter().map(|(_, event)| event);
    assert!(events.all(|event| !gone(event) || event.room == room("room")));
}

#[test]
fn a_participant_is_found_in_their_own_room_only() {
    let mut net = Net::new();
    let now = net.now();
    net.node
        .create_room(now, room("other"), Default::default())
        .unwrap();
    net.drain_node();
    net.join("ann", 3);
    let result = net
        .node
        .remove_participant(now, &room("other"), &participant("ann"), None);
    assert_eq!(result, Err(stoa_core::Error::ParticipantNotFound));
    assert_eq!(net.stats().participants, 1);
}
