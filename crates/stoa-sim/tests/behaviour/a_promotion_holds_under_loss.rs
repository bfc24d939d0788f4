//! A right that is given or taken counts from the call, however many packets are lost: the first packet
//! that reaches the node after a promotion is heard, and none after a demotion.

use std::time::Duration;

use stoa_core::{Role, RoomUpdate, SpeakPolicy};
use stoa_sim::{
    FRAME, Net,
    link::{Direction, Link, Loss},
    oracle,
};

const ROUNDS: usize = 60;

#[test]
fn from_the_first_packet_that_arrives() {
    let mut net = Net::seeded(12);
    net.update_room(RoomUpdate {
        speak_policy: Some(SpeakPolicy::SpeakersOnly),
        ..Default::default()
    });
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let lossy = Link {
        loss: Loss::Independent(0.2),
        jitter: Duration::from_millis(15),
        ..Link::default()
    };
    net.set_link(ann, Direction::Up, lossy);
    let mut losses_at_onset = 0;
    for round in 0..ROUNDS {
        net.speak(&[(ann, 20)], FRAME * 10);
        // What she said as a listener is not under way any more.
        net.run_for(Duration::from_millis(50));
        let (promoted, next) = (net.elapsed(), net.clients[ann].next_number());
        net.forget_heard();
        net.set_role(ann, Role::Speaker);
        net.speak(&[(ann, 20)], FRAME * 20);
        net.run_for(Duration::from_millis(50));

        let missing = &net.history().members[ann].missing;
        let arrived = (next..)
            .find(|number| !missing.contains_key(number))
            .unwrap();
        losses_at_onset += arrived - next;
        let first = &net.clients[ben].heard[0];
        assert_eq!(first.number(), arrived, "round {round}");
        let latest = promoted + FRAME * (arrived - next) + net.latency * 2 + lossy.spread();
        assert!(
            first.at <= latest,
            "round {round}: {:?}",
            first.at - promoted
        );

        net.set_role(ann, Role::Listener);
        let heard = net.clients[ben].heard.len();
        net.speak(&[(ann, 20)], FRAME * 10);
        net.run_for(Duration::from_millis(50));
        let after = net.clients[ben].heard[heard..].len();
        assert_eq!(after, 0, "round {round}");
        oracle::assert_holds(&net);
    }
    assert!(
        losses_at_onset > 5,
        "the loss concerned the promotions: {losses_at_onset}"
    );
}
