//! People go on talking over links that lose packets in bursts, let them wait and change their order:
//! nobody is thrown out, no line is torn, and what the network let through is heard.

use std::time::Duration;

use stoa_core::RoomEventKind;
use stoa_sim::{
    ClientId, FRAME, Net,
    history::History,
    link::{Bursts, Link, Loss, Reordering},
    oracle,
};

/// A phone in a train: 5 % of loss, most of it in bursts.
fn train() -> Link {
    Link {
        loss: Loss::Bursts(Bursts {
            good: Duration::from_secs(3),
            bad: Duration::from_millis(150),
            loss_while_good: 0.005,
            loss_while_bad: 0.9,
        }),
        delay: Duration::from_millis(60),
        jitter: Duration::from_millis(30),
        reordering: Reordering {
            share: 0.01,
            held_back: Duration::from_millis(40),
        },
        duplication: 0.01,
    }
}

/// Three people talk in turns of 2 to 4 s, now and then over each other.
fn talk(net: &mut Net, people: &[ClientId], turns: usize) {
    for turn in 0..turns {
        let speaker = people[turn % people.len()];
        let other = people[(turn + 1) % people.len()];
        net.speak(&[(speaker, 25)], FRAME * (100 + 13 * (turn as u32 % 8)));
        net.speak(&[(speaker, 28), (other, 30)], FRAME * 15);
    }
    net.run_for(Duration::from_secs(1));
}

/// Of the packets that reached the node in time and were not lost on their way from there, the share
/// that a listener heard.
fn share_heard(history: &History, listener: ClientId, speaker: ClientId, spoken: u32) -> f64 {
    let member = |id: ClientId| &history.members[id];
    let heard = history.heard.iter();
    let heard = heard
        .filter(|packet| (packet.listener, packet.sender) == (listener, speaker))
        .count();
    let lost = member(listener).lost.iter();
    let lost = lost
        .filter(|packet| packet.csrc == Some(member(speaker).csrc))
        .count();
    let late_or_missing = member(speaker).missing.len();
    heard as f64 / (f64::from(spoken) - late_or_missing as f64 - lost as f64)
}

#[test]
fn nobody_is_lost_and_what_arrives_is_heard() {
    let mut net = Net::seeded(11);
    let people = ["ann", "ben", "cem"].map(|name| net.join(name, 3));
    let listener = net.join("listener", 3);
    for id in 0..=listener {
        net.set_links(id, train());
    }
    talk(&mut net, &people, 30);

    let left = |kind: &RoomEventKind| matches!(kind, RoomEventKind::Left { .. });
    assert!(!net.events.iter().any(|(_, event)| left(&event.kind)));
    oracle::assert_holds(&net);
    let history = net.history();
    for (index, &speaker) in people.iter().enumerate() {
        let spoken = net.clients[speaker].next_number();
        let lost_on_the_way_up = history.members[speaker].missing.len() as f64 / f64::from(spoken);
        assert!(
            (0.02..0.12).contains(&lost_on_the_way_up),
            "{lost_on_the_way_up}"
        );
        for other in [people[(index + 1) % 3], listener] {
            let share = share_heard(&history, other, speaker, spoken);
            assert!(
                share > 0.98,
                "{other} heard {share} of what came of {speaker}"
            );
        }
    }
}
