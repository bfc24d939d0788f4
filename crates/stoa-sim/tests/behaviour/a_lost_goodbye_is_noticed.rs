//! A client that goes where nothing gets through any more cannot say goodbye. It is gone after the ICE
//! timeout, and its slot long before; a client that comes through to the node but hears nothing stays.

use std::time::Duration;

use stoa_core::{LeaveReason, Limits, RoomEventKind};
use stoa_sim::{
    ClientId, Net,
    link::{Direction, Link, Loss},
    oracle,
};

fn silence() -> Link {
    Link {
        loss: Loss::Independent(1.0),
        ..Link::default()
    }
}

/// When and why a client left, as the room was told.
fn left(net: &Net, id: ClientId) -> Option<(Duration, LeaveReason)> {
    net.events.iter().find_map(|(at, event)| match &event.kind {
        RoomEventKind::Left {
            session, reason, ..
        } if *session == net.clients[id].session => Some((*at, *reason)),
        _ => None,
    })
}

#[test]
fn by_the_ice_timeout() {
    let mut net = Net::seeded(16);
    let (ann, ben, cem) = (net.join("ann", 1), net.join("ben", 1), net.join("cem", 1));
    net.speak(&[(ann, 10)], Duration::from_secs(2));
    net.set_link(ann, Direction::Up, silence());
    net.run_for(net.latency);
    let gone = net.elapsed();
    net.hang_up(ann);
    net.forget_heard();
    net.speak(&[(ben, 50)], Duration::from_secs(2));
    assert_eq!(net.clients[cem].voices(), [ben], "the slot is free");
    net.run_until("Ann is gone", |net| left(net, ann).is_some());
    let (at, reason) = left(&net, ann).unwrap();
    assert_eq!(reason, LeaveReason::IceTimeout);
    assert!(at - gone <= Limits::default().ice_timeout + Limits::default().resume_window);
    oracle::assert_holds(&net);
}

#[test]
fn but_not_where_only_the_way_down_is_dead() {
    let mut net = Net::seeded(17);
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    net.set_link(ann, Direction::Down, silence());
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(20));
    assert_eq!(left(&net, ann), None, "her checks arrive");
    assert_eq!(net.clients[ann].voices(), []);
    net.set_link(ann, Direction::Down, Link::default());
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    assert_eq!(net.clients[ann].voices(), [ben]);
    oracle::assert_holds(&net);
}
