//! A fault of ours, or of a library, that is met while one participant is served ends that participant, is
//! counted, and takes nothing from anybody else.

use std::{net::SocketAddr, time::Duration};

use stoa_core::{
    DropReason, Error, LeaveReason, RoomEventKind,
    planted::{FATAL_DATAGRAM, FATAL_OFFER_LINE},
};
use stoa_sim::{
    ClientId, Layout, Net,
    oracle::{
        assert_holds, assert_none,
        leftovers::{Leftovers, nothing_is_left},
    },
};

/// How everybody left who did.
fn endings(net: &Net) -> Vec<(&str, LeaveReason)> {
    let mut endings = Vec::new();
    for (_, event) in &net.events {
        if let RoomEventKind::Left {
            participant,
            reason,
            ..
        } = &event.kind
        {
            endings.push((participant.as_str(), *reason));
        }
    }
    endings
}

/// A client's next datagrams are the one at which its session panics.
fn send_fatal(net: &mut Net, id: ClientId) {
    let (worker, from) = (net.clients[id].node, net.clients[id].outer);
    net.inject_at(worker, from, FATAL_DATAGRAM);
    net.drain_node();
}

/// Ann and Ben talk; each hears the other without a gap.
fn all_is_well(net: &mut Net, ann: ClientId, ben: ClientId) {
    net.forget_heard();
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(100));
    for listener in [ann, ben] {
        assert_eq!(net.clients[listener].heard.len(), 50);
    }
}

#[test]
fn in_a_room_over_one_worker_and_over_several() {
    for workers in [1, 3] {
        let layout = Layout {
            workers,
            lobby: workers > 1,
        };
        let mut net = Net::laid_out(layout, 7);
        let [ann, ben, eve] = ["ann", "ben", "eve"].map(|name| net.join(name, 3));
        net.speak(&[(ann, 30), (eve, 20)], Duration::from_millis(500));
        send_fatal(&mut net, eve);
        net.run_for(Duration::from_millis(50));
        assert_eq!(endings(&net), [("eve", LeaveReason::InternalFault)]);
        assert_eq!(net.stats().panics, 1);
        all_is_well(&mut net, ann, ben);
        // Whoever comes back is one like all others.
        let eve = net.join("eve", 3);
        all_is_well(&mut net, ann, eve);
        assert_holds(&net);
        net.close_room("room");
        net.run_for(Duration::from_millis(50));
        assert_none(&nothing_is_left(&Leftovers::of(&mut net)));
    }
}

#[test]
fn whoever_is_not_known_meets_no_session() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let stranger = SocketAddr::from(([203, 0, 113, 9], 9));
    assert!(net.inject(stranger, FATAL_DATAGRAM).is_empty());
    assert_eq!(net.stats().dropped(DropReason::UnknownAddress), 1);
    assert_eq!(net.stats().panics, 0);
    all_is_well(&mut net, ann, ben);
}

#[test]
fn in_the_lobby() {
    let layout = Layout {
        workers: 1,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, 7);
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let eve = net.admit("room", "eve", 3).expect("admitted");
    // As soon as the seat knows her address, and long before she is keyed.
    net.run_until("she has a place in the lobby and an address", |net| {
        let fills = net.node.fill();
        let known = fills.iter().find(|fill| fill.what == "known addresses");
        known.is_some_and(|known| known.count == 3)
    });
    send_fatal(&mut net, eve);
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.node.lobby_stats().panics, 1);
    assert_eq!(endings(&net), [("eve", LeaveReason::InternalFault)]);
    all_is_well(&mut net, ann, ben);
    assert_holds(&net);
}

#[test]
fn in_an_offer() {
    for lobby in [false, true] {
        let mut net = Net::laid_out(Layout { workers: 1, lobby }, 7);
        let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
        let fatal = |offer: String| offer + FATAL_OFFER_LINE;
        let refused = net.admit_with("room", "eve", 3, fatal);
        assert_eq!(refused.err(), Some(Error::InternalFault));
        let panics = net.stats().panics + net.node.lobby_stats().panics;
        assert_eq!((panics, endings(&net).len()), (1, 0));
        all_is_well(&mut net, ann, ben);
        assert_holds(&net);
    }
}
