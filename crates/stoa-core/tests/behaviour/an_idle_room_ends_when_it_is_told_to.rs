//! A room in which nobody is heard ends after its idle timeout, whoever is in it, and they get their goodbyes.
//! Who may not speak, or says nothing, does not keep it open.

use std::time::Duration;

use stoa_core::{CloseReason, LeaveReason, MuteSource, RoomEventKind, RoomTimeout, RoomUpdate};
use stoa_sim::{ClientId, Layout, Net, oracle, room};

const TIMEOUT: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(1);

fn set(net: &mut Net, timeout: Duration) {
    net.update_room(RoomUpdate {
        idle_timeout: Some(RoomTimeout::new(timeout)),
        ..RoomUpdate::default()
    });
}

/// When and why the room ended.
fn ended(net: &Net) -> Option<(Duration, CloseReason)> {
    net.events.iter().find_map(|(at, event)| match event.kind {
        RoomEventKind::Closed(reason) if event.room == room("room") => Some((*at, reason)),
        _ => None,
    })
}

/// Somebody talks for a second. Returns when their last packet has arrived.
fn talk(net: &mut Net, id: ClientId) -> Duration {
    net.speak(&[(id, 30)], Duration::from_secs(1));
    net.elapsed() - stoa_sim::FRAME + net.latency
}

#[test]
fn after_the_last_voice() {
    let mut net = Net::new();
    set(&mut net, TIMEOUT);
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let mut heard_at = Duration::ZERO;
    for _ in 0..4 {
        net.run_for(TIMEOUT / 2);
        heard_at = talk(&mut net, ann);
    }
    assert_eq!(ended(&net), None);
    net.run_for(TIMEOUT * 2);
    assert_eq!(ended(&net), Some((heard_at + TIMEOUT, CloseReason::Idle)));
    let reasons = net.events.iter().filter_map(|(_, event)| match event.kind {
        RoomEventKind::Left { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(reasons.eq([LeaveReason::RoomClosed; 2]));
    for id in [ann, ben] {
        assert!(net.clients[id].closed, "they were told");
    }
    assert_eq!(net.stats().seats, 0);
    oracle::assert_holds(&net);
}

#[test]
fn a_room_in_which_nobody_ever_talks() {
    let mut net = Net::new();
    set(&mut net, TIMEOUT);
    net.join("ann", 3);
    net.run_for(TIMEOUT * 2);
    assert_eq!(ended(&net), Some((TIMEOUT, CloseReason::Idle)));
}

#[test]
fn silence_and_muted_voices_do_not_count() {
    let mut net = Net::new();
    set(&mut net, TIMEOUT);
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let heard_at = talk(&mut net, ann);
    net.set_muted(ann, MuteSource::Moderator, true);
    // Ann talks into her mute, and Ben's microphone is open in a quiet room.
    net.speak(&[(ann, 20), (ben, 127)], TIMEOUT * 2);
    assert_eq!(ended(&net), Some((heard_at + TIMEOUT, CloseReason::Idle)));
}

#[test]
fn a_shorter_timeout_holds_at_once_and_none_for_ever() {
    let mut net = Net::new();
    set(&mut net, TIMEOUT);
    net.join("ann", 3);
    net.run_for(TIMEOUT / 2);
    net.update_room(RoomUpdate {
        idle_timeout: Some(None),
        ..RoomUpdate::default()
    });
    net.run_for(TIMEOUT * 4);
    assert_eq!(ended(&net), None);
    let before = net.elapsed();
    set(&mut net, TIMEOUT * 6);
    net.run_for(TIMEOUT);
    set(&mut net, Duration::from_secs(1));
    let set_at = net.elapsed();
    net.run_for(TICK);
    assert_eq!(set_at, before + TIMEOUT);
    assert_eq!(ended(&net), Some((set_at, CloseReason::Idle)));
}

#[test]
fn talking_costs_no_timers() {
    let mut net = Net::new();
    set(&mut net, Duration::from_secs(3600));
    let ann = net.join("ann", 3);
    net.wakes = 0;
    net.speak(&[(ann, 30)], Duration::from_secs(20));
    let with = net.wakes;
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    net.wakes = 0;
    net.speak(&[(ann, 30)], Duration::from_secs(20));
    assert_eq!(with, net.wakes);
}

#[test]
fn those_with_seats_elsewhere_are_told_too() {
    let layout = Layout {
        workers: 3,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, 5);
    set(&mut net, TIMEOUT);
    let ids = ["ann", "ben", "cal"].map(|name| net.join(name, 3));
    net.run_for(TIMEOUT * 2);
    assert_eq!(ended(&net), Some((TIMEOUT, CloseReason::Idle)));
    for id in ids {
        assert!(net.clients[id].closed, "they were told");
    }
    assert_eq!(net.stats().seats, 0);
    oracle::assert_holds(&net);
}
