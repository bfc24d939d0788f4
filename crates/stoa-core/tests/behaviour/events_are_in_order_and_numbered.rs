//! The events of a room tell its whole story: numbered without a gap, in the order in which things
//! happened, so that whoever follows them knows what a snapshot would say.

use std::time::Duration;

use stoa_core::{AudioSlots, ParticipantChange, Role, RoomEventKind, RoomUpdate};
use stoa_sim::{
    Net,
    oracle::{assert_none, events::tell_all},
    participant, room,
};

fn assert_events_tell_all(net: &Net) {
    assert_none(&tell_all(&net.events, net.node.snapshots()));
}

#[test]
fn whoever_follows_knows_what_a_snapshot_says() {
    let mut net = Net::new();
    net.node
        .create_room(net.now(), room("other"), Default::default())
        .unwrap();
    net.drain_node();
    let ann = net.join("ann", 3);
    assert_events_tell_all(&net);
    let ben = net.join_room("other", "ben", 1);
    let cem = net.join("cem", 2);
    net.admit("room", "never-connects", 1).unwrap();
    assert_events_tell_all(&net);
    net.speak(&[(ann, 20), (ben, 30), (cem, 40)], Duration::from_secs(2));
    net.change(ann, ParticipantChange::Role(Role::Moderator));
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(5),
        ..Default::default()
    });
    assert_events_tell_all(&net);
    net.hang_up(ann);
    net.vanish(cem);
    net.run_for(Duration::from_secs(20));
    assert_events_tell_all(&net);
    let again = net.join("ann", 3);
    assert_ne!(net.clients[again].session, net.clients[ann].session);
    let now = net.now();
    net.node
        .remove_participant(now, &room("room"), &participant("ann"), None)
        .unwrap();
    net.drain_node();
    assert_events_tell_all(&net);
    net.node.close_room(now, &room("room")).unwrap();
    net.node
        .create_room(now, room("room"), Default::default())
        .unwrap();
    net.drain_node();
    assert_events_tell_all(&net);
    net.node.shut_down(now);
    net.drain_node();
    assert_events_tell_all(&net);
    assert!(net.node.snapshots().is_empty());
}

#[test]
fn answers_carry_the_revision_of_their_event() {
    let mut net = Net::new();
    let offer = stoa_sim::offers::chromium();
    let joined = net.offer("room", "ann", &offer).unwrap();
    let (_, event) = net.events.last().unwrap();
    assert_eq!(event.revision, joined.revision);
    assert_eq!(event.kind, RoomEventKind::Joined(joined.participant));
    let (now, ann) = (net.now(), participant("ann"));
    let revision = net
        .node
        .remove_participant(now, &room("room"), &ann, None)
        .unwrap();
    net.drain_node();
    assert_eq!(net.events.last().unwrap().1.revision, revision);
}
