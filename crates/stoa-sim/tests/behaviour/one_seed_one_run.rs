//! The same seed gives the same run, also over a network that loses, delays, reorders and doubles
//! datagrams, behind NATs that change, with clients that vanish, start again and lie.
//!
//! What cannot be the same is named on the crate's page; none of it may show here.

use std::time::Duration;

use stoa_core::{RoomEvent, RoomEventKind};
use stoa_sim::{
    FRAME, Layout, Lie, Net,
    history::Packet,
    link::{Bursts, Direction, Link, Loss, Reordering},
};

fn bad_link() -> Link {
    Link {
        loss: Loss::Bursts(Bursts {
            good: Duration::from_secs(2),
            bad: Duration::from_millis(150),
            loss_while_good: 0.02,
            loss_while_bad: 0.8,
        }),
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(30),
        reordering: Reordering {
            share: 0.03,
            held_back: Duration::from_millis(45),
        },
        duplication: 0.02,
    }
}

struct Run {
    events: Vec<(Duration, RoomEvent)>,
    /// All that was heard, without what str0m draws for itself.
    heard: Vec<Packet>,
}

fn run(layout: Layout, seed: u64) -> Run {
    let mut net = Net::laid_out(layout, seed);
    let mut ids = Vec::new();
    for n in 0..5 {
        let id = net.join(&format!("p{n}"), 1 + n % 3);
        net.set_links(id, bad_link());
        ids.push(id);
    }
    net.set_nat(ids[0], Some(Duration::from_secs(8)));
    net.set_nat(ids[1], Some(Duration::from_secs(8)));
    let uncertain = Link {
        loss: Loss::Independent(0.2),
        ..bad_link()
    };
    net.set_link(ids[2], Direction::Down, uncertain);
    for round in 0..1_000 {
        if round == 400 {
            ids[3] = net.restart(ids[3]).unwrap();
            net.set_links(ids[3], bad_link());
        }
        if round == 700 {
            net.vanish(ids[4]);
            ids.pop();
        }
        if round % 50 == 0 {
            net.lie(ids[0], 0, Lie::PayloadType);
        }
        for &id in &ids {
            if net.clients[id].connected && (round / 100 + id) % 3 != 0 {
                net.say(id, 30);
            }
        }
        net.run_for(FRAME);
    }
    // The vanished one is away, and then gone.
    net.run_for(Duration::from_secs(50));
    let mut heard = net.history().heard;
    for packet in &mut heard {
        packet.ssrc = 0;
        // RTCP reports are counted, too.
        packet.datagram = 0;
    }
    Run {
        events: net.events,
        heard,
    }
}

fn twice_the_same(layout: Layout) {
    let first = run(layout, 1);
    let told = |wanted: fn(&RoomEventKind) -> bool| {
        let kinds = first.events.iter().map(|(_, event)| &event.kind);
        kinds.filter(|kind| wanted(kind)).count()
    };
    assert!(first.heard.len() > 3_000, "{} heard", first.heard.len());
    assert_eq!(told(|kind| matches!(kind, RoomEventKind::Left { .. })), 2);

    let second = run(layout, 1);
    assert_eq!(second.events, first.events);
    assert_eq!(second.heard.len(), first.heard.len());
    for (second, first) in second.heard.iter().zip(&first.heard) {
        assert_eq!(second, first);
    }
    let other = run(layout, 2);
    assert_ne!(other.events, first.events);
    assert_ne!(other.heard, first.heard);
}

#[test]
fn over_the_worst_of_networks() {
    twice_the_same(Layout::default());
}

#[test]
fn over_several_workers_with_a_lobby() {
    twice_the_same(Layout {
        workers: 3,
        lobby: true,
    });
}
