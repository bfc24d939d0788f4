//! A listener silences somebody for themselves, or listens to a chosen few only, and nobody else hears
//! anything of that.

use std::{collections::BTreeSet, time::Duration};

use stoa_core::{ParticipantChange, ParticipantId, RoomEventKind, Subscription};
use stoa_sim::{ClientId, Net};

const A_WHILE: Duration = Duration::from_millis(500);

fn names(net: &Net, ids: &[ClientId]) -> BTreeSet<ParticipantId> {
    ids.iter().map(|&id| net.clients[id].id.clone()).collect()
}

fn all_except(net: &Net, ids: &[ClientId]) -> ParticipantChange {
    ParticipantChange::Subscription(Subscription::all_except(names(net, ids)).unwrap())
}

fn only(net: &Net, ids: &[ClientId]) -> ParticipantChange {
    ParticipantChange::Subscription(Subscription::only(names(net, ids)).unwrap())
}

/// Whom a client has heard since it was last asked, after what was under way has come.
fn voices(net: &mut Net, id: ClientId) -> Vec<ClientId> {
    net.run_for(Duration::from_millis(50));
    let voices = net.clients[id].voices();
    net.forget_heard();
    voices
}

#[test]
fn whoever_is_silenced_is_silent_for_that_listener_alone() {
    let mut net = Net::new();
    let [ann, ben] = ["ann", "ben"].map(|name| net.join(name, 3));
    let [choosy, other] = ["choosy", "other"].map(|name| net.join(name, 3));
    let talk = [(ann, 30), (ben, 30)];
    net.speak(&talk, A_WHILE);
    assert_eq!(voices(&mut net, choosy), [ann, ben]);

    let events = net.events.len();
    let choice = all_except(&net, &[ann]);
    let before = net.snapshot("room").revision;
    assert_eq!(net.change(choosy, choice), before);
    net.run_for(Duration::from_millis(50));
    net.forget_heard();
    net.speak(&talk, A_WHILE);
    let others = net.clients[other].voices();
    assert_eq!(
        voices(&mut net, choosy),
        [ben],
        "gone when the call returns"
    );
    assert_eq!(others, [ann, ben]);
    let told = &net.events[events..];
    let is_report = |kind: &RoomEventKind| matches!(kind, RoomEventKind::ActiveSpeakers(_));
    assert!(
        told.iter().all(|(_, event)| is_report(&event.kind)),
        "{told:?}"
    );

    // Whoever comes again under the name is still silenced.
    net.hang_up(ann);
    net.run_for(A_WHILE);
    let again = net.join("ann", 3);
    net.forget_heard();
    net.speak(&[(again, 30), (ben, 30)], A_WHILE);
    assert_eq!(voices(&mut net, choosy), [ben]);

    net.change(choosy, all_except(&Net::new(), &[]));
    net.speak(&[(again, 30), (ben, 30)], A_WHILE);
    assert_eq!(voices(&mut net, choosy), [ben, again], "and back");
}

#[test]
fn a_chosen_few_are_heard_however_loud_the_others_are() {
    let mut net = Net::new();
    let loud = ["a", "b", "c", "d"].map(|name| net.join(name, 3));
    let quiet = net.join("quiet", 3);
    let choosy = net.join("choosy", 3);
    let other = net.join("other", 3);
    net.change(choosy, only(&net, &[quiet]));
    let mut talk: Vec<_> = loud.iter().map(|&id| (id, 15)).collect();
    net.speak(&talk, Duration::from_secs(2));
    assert_eq!(net.clients[choosy].voices(), []);
    talk.push((quiet, 50));
    net.speak(&talk, Duration::from_secs(2));
    let others = net.clients[other].voices();
    assert_eq!(voices(&mut net, choosy), [quiet]);
    assert!(
        !others.contains(&quiet),
        "they hear the loudest: {others:?}"
    );
    net.change(choosy, only(&net, &[]));
    net.run_for(Duration::from_millis(50));
    net.forget_heard();
    net.speak(&talk, A_WHILE);
    assert_eq!(voices(&mut net, choosy), [], "nobody is a choice, too");
}

#[test]
fn whoever_chooses_does_not_hear_themselves_and_is_heard_as_before() {
    let mut net = Net::new();
    let [ann, ben, cid] = ["ann", "ben", "cid"].map(|name| net.join(name, 2));
    net.change(ann, all_except(&net, &[ben]));
    net.change(cid, all_except(&net, &[ben]));
    net.speak(&[(ann, 20), (ben, 25), (cid, 30)], Duration::from_secs(3));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[ann].voices(), [cid]);
    assert_eq!(net.clients[cid].voices(), [ann]);
    assert_eq!(net.clients[ben].voices(), [ann, cid]);
}

/// Each line of the one who chooses is one stream throughout, as for everybody else.
#[test]
fn a_choice_leaves_no_gap_in_the_listeners_streams() {
    let mut net = Net::new();
    let [ann, ben] = ["ann", "ben"].map(|name| net.join(name, 3));
    let choosy = net.join("choosy", 3);
    for turn in 0..20 {
        let choice = match turn % 3 {
            0 => all_except(&net, &[ann]),
            1 => only(&net, &[ann]),
            _ => all_except(&net, &[]),
        };
        net.change(choosy, choice);
        net.speak(&[(ann, 30), (ben, 30)], Duration::from_millis(300));
    }
    net.run_for(Duration::from_millis(50));
    for line in 0..3 {
        let heard: Vec<_> = net.clients[choosy].on_line(line).collect();
        for pair in heard.windows(2) {
            let [before, after] = [pair[0], pair[1]].map(|heard| *heard.packet.seq_no);
            assert_eq!(after, before + 1, "on line {line}");
        }
    }
    assert!(net.clients[choosy].heard.len() > 300);
}
