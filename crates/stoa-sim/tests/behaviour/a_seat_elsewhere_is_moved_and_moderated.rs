//! Whoever has their seat at another worker than the home of their room is moved by their NAT, muted and
//! sent away as anybody else.

use std::time::Duration;

use stoa_core::{LeaveReason, MuteSource, RoomEventKind};
use stoa_sim::{ClientId, Layout, Net, oracle};

/// Longer than a client takes to notice that its NAT has changed (RFC 7675, section 5.1).
const RECOVERY: Duration = Duration::from_secs(8);

fn room() -> (Net, [ClientId; 3]) {
    let layout = Layout {
        workers: 3,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, 6);
    let people = ["ann", "ben", "cem"].map(|name| net.join(name, 2));
    assert_eq!(
        people.map(|id| net.is_seated_elsewhere(id)),
        [true, false, true]
    );
    (net, people)
}

#[test]
fn by_a_nat() {
    let (mut net, [ann, ben, cem]) = room();
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    for id in [ann, cem] {
        net.rebind_anywhere(id);
    }
    net.speak(&[(ann, 30), (ben, 30)], RECOVERY);
    net.forget_heard();
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    let voices = [ann, ben, cem].map(|id| net.clients[id].voices());
    assert_eq!(voices, [vec![ben], vec![ann], vec![ann, ben]]);
    oracle::assert_holds(&net);
}

#[test]
fn by_a_nat_while_the_session_is_set_up() {
    let (mut net, [ann, ben, _]) = room();
    for step in 0..12 {
        let dan = net.admit("room", "dan", 2).unwrap();
        net.run_for(Duration::from_millis(6 * step));
        net.rebind_anywhere(dan);
        net.wait_until_connected(dan);
        net.speak(&[(ann, 30)], RECOVERY);
        net.forget_heard();
        net.speak(&[(ann, 30), (dan, 25)], Duration::from_millis(400));
        assert_eq!(net.clients[dan].voices(), [ann], "step {step}");
        assert_eq!(net.clients[ben].voices(), [ann, dan], "step {step}");
        net.remove(dan).unwrap();
        net.speak(&[(ann, 30)], Duration::from_millis(100));
    }
    oracle::assert_holds(&net);
}

#[test]
fn by_a_moderator() {
    let (mut net, [ann, ben, cem]) = room();
    net.set_muted(ann, MuteSource::Moderator, true);
    net.speak(&[(ann, 20), (cem, 30)], Duration::from_secs(1));
    assert_eq!(net.clients[ben].voices(), [cem]);
    assert_eq!(net.clients[ann].voices(), [cem], "she still hears");

    net.set_muted(ann, MuteSource::Moderator, false);
    net.forget_heard();
    net.speak(&[(ann, 20), (cem, 30)], Duration::from_secs(1));
    assert_eq!(net.clients[ben].voices(), [ann, cem]);

    net.remove(ann).unwrap();
    net.run_until("she is told", |net| net.clients[ann].closed);
    let reasons: Vec<_> = net
        .events
        .iter()
        .filter_map(|(_, event)| match &event.kind {
            RoomEventKind::Left { reason, .. } => Some(*reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [LeaveReason::Removed]);
    net.forget_heard();
    net.speak(&[(ann, 20), (cem, 30)], Duration::from_secs(1));
    assert_eq!(net.clients[ben].voices(), [cem]);
    assert_eq!(net.clients[ann].voices(), []);
    assert_eq!(net.stats().seats, 2);
    oracle::assert_holds(&net);
}

#[test]
fn by_the_end_of_the_room() {
    let (mut net, people) = room();
    net.close_room("room");
    net.run_until("all are told", |net| {
        people.iter().all(|&id| net.clients[id].closed)
    });
    assert_eq!(net.stats().seats, 0);
}
