//! Somebody whose seat is at another worker than the home of their room speaks when they may, and is not
//! heard any more when the call has returned that takes the right away; whatever is on its way between the
//! workers at that moment.

use std::time::Duration;

use stoa_core::{MuteSource, Role, RoomUpdate, SpeakPolicy};
use stoa_sim::{BETWEEN_WORKERS, ClientId, FRAME, Layout, Net, oracle};

fn room_of_speakers(seed: u64) -> (Net, [ClientId; 4]) {
    let layout = Layout {
        workers: 3,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, seed);
    net.update_room(RoomUpdate {
        speak_policy: Some(SpeakPolicy::SpeakersOnly),
        ..RoomUpdate::default()
    });
    // At home and elsewhere: home is the second worker.
    let people = ["ann", "ben", "cem", "dan"].map(|name| net.join(name, 2));
    assert_eq!(
        people.map(|id| net.is_seated_elsewhere(id)),
        [true, false, true, true]
    );
    net.run_for(Duration::from_millis(50));
    (net, people)
}

/// Who of these hears a client in the next second of its talking.
fn hearers(net: &mut Net, speaker: ClientId, people: [ClientId; 4]) -> Vec<ClientId> {
    net.forget_heard();
    net.speak(&[(speaker, 30)], Duration::from_secs(1));
    let hears = |&id: &ClientId| net.clients[id].voices().contains(&speaker);
    people.into_iter().filter(hears).collect()
}

#[test]
fn and_is_heard_only_in_between() {
    let (mut net, people) = room_of_speakers(1);
    let [ann, ben, cem, dan] = people;
    assert_eq!(hearers(&mut net, ann, people), []);

    net.set_role(ann, Role::Speaker);
    let promoted = net.elapsed();
    assert_eq!(hearers(&mut net, ann, people), [ben, cem, dan]);
    let first = net.clients[dan].heard.first().unwrap();
    let latest = promoted + net.latency + FRAME + BETWEEN_WORKERS * 3;
    assert!(first.left <= latest, "{:?} after {promoted:?}", first.left);

    net.set_role(ann, Role::Listener);
    net.run_for(Duration::from_millis(20));
    assert_eq!(hearers(&mut net, ann, people), []);
    net.set_role(ann, Role::Moderator);
    assert_eq!(hearers(&mut net, ann, people), [ben, cem, dan]);
    oracle::assert_holds(&net);
}

/// Takes the right away again and again, at every moment of a packet's way.
fn silenced(take: impl Fn(&mut Net, ClientId), give: impl Fn(&mut Net, ClientId)) {
    let (mut net, people) = room_of_speakers(2);
    let ann = people[0];
    net.set_role(ann, Role::Speaker);
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    for step in 0..60 {
        net.say(ann, 30);
        net.run_for(Duration::from_micros(5_000 + 150 * step));
        take(&mut net, ann);
        let taken = net.elapsed();
        net.speak(&[(ann, 30)], FRAME * 3);
        for &listener in &people[1..] {
            let heard = net.clients[listener].heard.iter();
            let late = heard.filter(|heard| heard.left > taken).count();
            assert_eq!(late, 0, "client {listener} in step {step}");
        }
        give(&mut net, ann);
        net.speak(&[(ann, 30)], FRAME * 3);
        net.forget_heard();
        net.speak(&[(ann, 30)], FRAME * 3);
        assert_eq!(net.clients[people[3]].voices(), [ann], "step {step}");
        net.run_for(FRAME);
        net.forget_heard();
    }
    oracle::assert_holds(&net);
}

#[test]
fn and_is_silent_when_a_role_is_taken() {
    silenced(
        |net, id| {
            net.set_role(id, Role::Listener);
        },
        |net, id| {
            net.set_role(id, Role::Speaker);
        },
    );
}

#[test]
fn and_is_silent_when_they_are_muted() {
    silenced(
        |net, id| {
            net.set_muted(id, MuteSource::Moderator, true);
        },
        |net, id| {
            net.set_muted(id, MuteSource::Moderator, false);
        },
    );
}

#[test]
fn and_is_silent_when_the_room_is_for_others() {
    let policy = |speak_policy| RoomUpdate {
        speak_policy: Some(speak_policy),
        ..RoomUpdate::default()
    };
    silenced(
        |net, id| {
            net.set_role(id, Role::Listener);
            net.update_room(policy(SpeakPolicy::SpeakersOnly));
        },
        |net, _| {
            net.update_room(policy(SpeakPolicy::Everyone));
        },
    );
}
