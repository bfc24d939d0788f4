//! Where only speakers may speak, a listener's packets go nowhere and are counted; a role that is given
//! or taken counts from the moment of the call, without another answer.

use std::time::Duration;

use stoa_core::{DropReason, Role, RoomUpdate, SpeakPolicy};
use stoa_sim::{FRAME, Net, oracle};

fn speakers_only() -> Net {
    let mut net = Net::new();
    net.update_room(RoomUpdate {
        speak_policy: Some(SpeakPolicy::SpeakersOnly),
        ..Default::default()
    });
    net
}

#[test]
fn a_listener_is_heard_by_nobody() {
    let mut net = speakers_only();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.speak(&[(ann, 20)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(100));
    assert!(net.clients[ben].heard.is_empty());
    assert_eq!(net.stats().dropped(DropReason::NotAllowed), 50);
}

#[test]
fn a_promotion_is_audible_with_the_next_packet_and_a_demotion_with_none() {
    let mut net = speakers_only();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let answers = [ann, ben].map(|id| net.clients[id].answer.clone());
    for _ in 0..20 {
        net.speak(&[(ann, 20)], Duration::from_millis(200));
        net.run_for(Duration::from_millis(50));
        let before = net.clients[ben].heard.len();

        net.set_role(ann, Role::Speaker);
        let promoted = net.elapsed();
        net.speak(&[(ann, 20)], Duration::from_millis(200));
        net.run_for(Duration::from_millis(50));
        let heard = &net.clients[ben].heard[before..];
        assert_eq!(heard.len(), 10, "every packet from the first on");
        assert!(heard[0].at <= promoted + FRAME + net.latency * 2);

        net.set_role(ann, Role::Listener);
        let after = net.clients[ben].heard.len();
        net.speak(&[(ann, 20)], Duration::from_millis(200));
        net.run_for(Duration::from_millis(50));
        assert_eq!(net.clients[ben].heard.len(), after, "heard after the call");
    }
    assert_eq!(answers, [ann, ben].map(|id| net.clients[id].answer.clone()));
    oracle::assert_holds(&net);
}

#[test]
fn a_new_policy_concerns_everybody_at_once() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.set_role(ben, Role::Moderator);
    net.speak(&[(ann, 20), (ben, 20)], Duration::from_millis(400));
    net.run_for(Duration::from_millis(50));
    let heard = net.clients[ben].heard.len();
    assert_eq!(heard, 20, "everyone may speak");

    net.update_room(RoomUpdate {
        speak_policy: Some(SpeakPolicy::SpeakersOnly),
        ..Default::default()
    });
    let before = net.clients[ann].heard.len();
    net.speak(&[(ann, 20), (ben, 20)], Duration::from_millis(400));
    net.run_for(Duration::from_millis(50));
    assert_eq!(
        net.clients[ben].heard.len(),
        heard,
        "a listener is not heard any more"
    );
    assert_eq!(net.clients[ann].heard.len(), before + 20, "a moderator is");
    oracle::assert_holds(&net);
}

#[test]
fn whoever_is_taken_off_leaves_the_slot_to_others() {
    let mut net = speakers_only();
    let speakers = ["a", "b", "c", "d"].map(|name| net.join(name, 3));
    for id in speakers {
        net.set_role(id, Role::Speaker);
    }
    let listener = net.join("listener", 3);
    let levels = [
        (speakers[0], 20),
        (speakers[1], 20),
        (speakers[2], 20),
        (speakers[3], 30),
    ];
    net.speak(&levels, Duration::from_secs(2));
    assert!(!net.clients[listener].voices().contains(&speakers[3]));
    net.set_role(speakers[1], Role::Listener);
    let since = net.elapsed() + net.latency * 2;
    net.speak(&levels, Duration::from_millis(200));
    let heard = net.clients[listener].voices_since(since);
    assert_eq!(heard, [speakers[0], speakers[2], speakers[3]]);
    oracle::assert_holds(&net);
}
