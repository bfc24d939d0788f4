//! A client may go at any moment while its session is set up, also while the session moves from the lobby
//! to its seat. The others are not disturbed, and nothing of it stays.

use std::time::Duration;

use stoa_core::Limits;
use stoa_sim::{
    ClientId, Layout, Net,
    oracle::{
        self, assert_none,
        leftovers::{Leftovers, nothing_is_left},
    },
};

/// Longer than a client takes to connect here.
const SETUP: Duration = Duration::from_millis(120);

const STEP: Duration = Duration::from_millis(2);

/// Lets somebody go after this much of their setup. Returns whether they were connected by then.
fn goes_after(setup: Duration, go: impl Fn(&mut Net, ClientId)) -> bool {
    let layout = Layout {
        workers: 2,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, 4);
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    let goes = net.admit("room", "goes", 1).unwrap();
    assert!(net.is_seated_elsewhere(goes));
    net.run_for(setup);
    go(&mut net, goes);
    let was_connected = net.clients[goes].connected;
    // They are thrown out by one clock or the other.
    let Limits {
        ice_timeout,
        resume_window,
        connect_timeout,
        ..
    } = Limits::default();
    net.run_for(connect_timeout.max(ice_timeout + resume_window) + SETUP);
    let stats = net.stats();
    let lobby = net.node.lobby_stats();
    assert_eq!((stats.participants, stats.seats), (2, 2), "{setup:?}");
    assert_eq!((lobby.sessions, net.node.letters()), (0, 0), "{setup:?}");
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    assert_eq!(net.clients[ben].voices(), [ann]);
    oracle::assert_holds(&net);
    net.close_room("room");
    net.run_for(Duration::from_millis(20));
    assert_none(&nothing_is_left(&Leftovers::of(&mut net)));
    was_connected
}

fn at_every_moment(go: impl Fn(&mut Net, ClientId)) {
    let mut connected = Vec::new();
    let mut setup = Duration::ZERO;
    while setup < SETUP {
        connected.push(goes_after(setup, &go));
        setup += STEP;
    }
    // Before and after.
    assert!(!connected[0] && connected.last() == Some(&true));
}

#[test]
fn by_vanishing() {
    at_every_moment(Net::vanish);
}

#[test]
fn by_hanging_up() {
    at_every_moment(Net::hang_up);
}

#[test]
fn by_being_sent_away() {
    at_every_moment(|net, id| {
        net.remove(id).unwrap();
    });
}

#[test]
fn by_starting_again() {
    at_every_moment(|net, id| {
        let again = net.restart(id).unwrap();
        net.wait_until_connected(again);
        net.remove(again).unwrap();
    });
}

/// Also where the session is on its way from the lobby to its seat, and comes there when they are out.
#[test]
fn and_whoever_takes_themselves_for_connected_is_told() {
    let layout = Layout {
        workers: 2,
        lobby: true,
    };
    let mut connected = 0;
    for step in 0..160 {
        let mut net = Net::laid_out(layout, step);
        let goes = net.admit("room", "goes", 1).unwrap();
        assert!(net.is_seated_elsewhere(goes));
        net.run_until("the session moves or has moved", |net| {
            net.node.lobby_stats().keyed == 1
        });
        net.run_for(Duration::from_micros(40 * step));
        net.remove(goes).unwrap();
        net.run_for(Duration::from_secs(1));
        let client = &net.clients[goes];
        assert!(client.closed || !client.connected, "in step {step}");
        connected += usize::from(client.connected);
    }
    assert!(connected > 100, "{connected}");
}
