//! Speakers change while their packets overtake each other: each line stays one stream, and a packet of
//! somebody who has lost the slot is not heard any more, or the numbers would go backwards.

use std::time::Duration;

use stoa_core::{AudioSlots, RoomUpdate};
use stoa_sim::{
    ClientId, FRAME, Net,
    link::{Direction, Link, Reordering},
    oracle::{self, changes_of_voice},
};

/// Everything is late, and every tenth packet is later than the next two.
fn disorder() -> Link {
    Link {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(10),
        reordering: Reordering {
            share: 0.1,
            held_back: Duration::from_millis(55),
        },
        ..Link::default()
    }
}

/// Four people who take the slots from each other, by being louder, several times a second.
fn quarrel(net: &mut Net, people: &[ClientId], turns: usize) {
    for turn in 0..turns {
        let levels = |index: usize| {
            if (index + turn).is_multiple_of(people.len()) {
                5
            } else {
                45
            }
        };
        let talk: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(index, &id)| (id, levels(index)))
            .collect();
        net.speak(&talk, FRAME * (20 + turn as u32 * 7 % 60));
        // A breath, or nobody believes the levels.
        let breath: Vec<_> = people.iter().map(|&id| (id, 100)).collect();
        net.speak(&breath, FRAME * 5);
    }
    net.run_for(Duration::from_millis(200));
}

#[test]
fn on_the_way_up() {
    let mut net = Net::seeded(14);
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(2),
        ..Default::default()
    });
    let people = ["ann", "ben", "cem", "dan"].map(|name| net.join(name, 2));
    let listener = net.join("listener", 2);
    for id in people {
        net.set_link(id, Direction::Up, disorder());
    }
    // At each change the stream's time takes over how late the packets before and after it were, so it
    // wanders; after some 150 turns of such disorder, further than the oracle allows.
    quarrel(&mut net, &people, 80);
    oracle::assert_holds(&net);
    let history = net.history();
    let changes: usize = (0..2)
        .map(|line| changes_of_voice(&history, listener, line))
        .sum();
    assert!(changes > 60, "{changes} changes");
    let late: usize = people
        .iter()
        .map(|&id| history.members[id].missing.len())
        .sum();
    assert!(late > 1_000, "{late} packets were overtaken");
    let heard = history.heard.iter();
    let heard = heard.filter(|packet| packet.listener == listener);
    assert!(heard.count() > 3_000);
}

#[test]
fn on_the_way_down() {
    let mut net = Net::seeded(15);
    let people = ["ann", "ben", "cem", "dan"].map(|name| net.join(name, 3));
    let listener = net.join("listener", 3);
    net.set_link(listener, Direction::Down, disorder());
    quarrel(&mut net, &people, 60);
    oracle::assert_holds(&net);
    // Out of order is not lost: all that others hear is heard by the listener, too.
    let sent = net.history().heard;
    let of = |id: ClientId| sent.iter().filter(|packet| packet.listener == id).count();
    assert!(of(listener) > 5_000, "{}", of(listener));
    assert!(net.history().members[listener].lost.is_empty());
}
