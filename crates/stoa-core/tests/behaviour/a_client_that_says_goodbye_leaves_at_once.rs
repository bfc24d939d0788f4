//! A client that closes its DTLS association (close_notify) has left, without any timeout; and a
//! client that is sent away is told in the same way.

use std::time::Duration;

use stoa_core::{CloseReason, LeaveReason, ParticipantId, RoomEventKind};
use stoa_sim::{
    Net,
    oracle::{
        assert_holds, assert_none,
        leftovers::{Leftovers, nothing_is_left},
    },
    participant, room,
};

/// Who left and why, in order.
fn leavers(net: &Net) -> Vec<(ParticipantId, LeaveReason)> {
    let kinds = net.events.iter().map(|(_, event)| &event.kind);
    kinds
        .filter_map(|kind| match kind {
            RoomEventKind::Left {
                participant,
                reason,
                ..
            } => Some((participant.clone(), *reason)),
            _ => None,
        })
        .collect()
}

#[test]
fn one_trip_through_the_network_is_enough() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    net.hang_up(ann);
    net.run_for(net.latency);
    assert_eq!(
        leavers(&net),
        [(participant("ann"), LeaveReason::ClientClosed)]
    );
    assert_eq!(net.stats().participants, 1);
    net.run_for(Duration::from_secs(30));
    assert!(!net.clients[ben].closed);
    assert_eq!(net.stats().participants, 1);
}

#[test]
fn who_is_removed_is_told_and_not_heard_again() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    net.run_for(Duration::from_millis(50));
    let (now, before) = (net.now(), net.clients[ben].heard.len());
    let session = net.clients[ann].session.clone();
    let revision = net
        .node
        .remove_participant(now, &room("room"), &participant("ann"), Some(&session))
        .unwrap();
    // She goes on talking until the news reaches her.
    net.say(ann, 10);
    net.drain_node();
    net.run_for(Duration::from_millis(50));
    assert!(net.clients[ann].closed);
    assert_eq!(net.clients[ben].heard.len(), before);
    assert_eq!(leavers(&net), [(participant("ann"), LeaveReason::Removed)]);
    assert_eq!(net.snapshot("room").revision, revision);
    assert_holds(&net);
}

#[test]
fn when_a_room_closes_everybody_is_told() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 1));
    net.node.close_room(net.now(), &room("room")).unwrap();
    net.drain_node();
    net.run_for(Duration::from_millis(50));
    assert!(net.clients[ann].closed && net.clients[ben].closed);
    let reasons = leavers(&net);
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons
            .iter()
            .all(|(_, reason)| *reason == LeaveReason::RoomClosed)
    );
    let (_, last) = net.events.last().unwrap();
    assert_eq!(last.kind, RoomEventKind::Closed(CloseReason::Closed));
    assert_none(&nothing_is_left(&Leftovers::of(&mut net)));
}

#[test]
fn a_node_that_shuts_down_says_so() {
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    net.node.shut_down(net.now());
    net.drain_node();
    net.run_for(Duration::from_millis(50));
    assert!(net.clients[ann].closed);
    assert_eq!(
        leavers(&net),
        [(participant("ann"), LeaveReason::NodeShutdown)]
    );
    assert_none(&nothing_is_left(&Leftovers::of(&mut net)));
}
