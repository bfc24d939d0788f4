//! Whoever loses the network is away and not gone: they come back by themselves, by an ICE restart from
//! another address, or by a new session, as who they were, wherever their seat is. Nothing is sent to them
//! meanwhile, and whoever comes too late is gone.

use std::time::Duration;

use stoa_core::{
    ConnectionState, Error, LeaveReason, Limits, MuteSource, ParticipantChange, ParticipantInfo,
    RoomEventKind, Subscription,
};
use stoa_sim::{ClientId, Layout, Net, oracle, participant};

/// Longer than the ICE timeout, and shorter than that and the time to resume.
const CUT: Duration = Duration::from_secs(20);

/// Longer than a client takes from one check to the next (RFC 7675, section 5.1).
const CHECK: Duration = Duration::from_secs(8);

const LAYOUTS: [Layout; 2] = [
    Layout {
        workers: 1,
        lobby: false,
    },
    Layout {
        workers: 3,
        lobby: true,
    },
];

/// A room of three, of whom the first and the third have their seats elsewhere where there is another worker.
fn room(layout: Layout) -> (Net, [ClientId; 3]) {
    let mut net = Net::laid_out(layout, 6);
    let people = ["ann", "ben", "cem"].map(|name| net.join(name, 2));
    let elsewhere = people.map(|id| net.is_seated_elsewhere(id));
    assert_eq!(elsewhere, [layout.workers > 1, false, layout.workers > 1]);
    net.speak(&[(people[0], 20)], Duration::from_millis(500));
    (net, people)
}

fn info(net: &Net, name: &str) -> ParticipantInfo {
    let snapshot = net.snapshot("room");
    let mut those = snapshot.participants.into_iter();
    let found = those.find(|info| info.participant == participant(name));
    found.expect("they are in")
}

/// The same without how well packets get through.
fn described(net: &Net, name: &str) -> ParticipantInfo {
    ParticipantInfo {
        connection_quality: None,
        ..info(net, name)
    }
}

/// How others were told that somebody comes and goes since then.
fn told(net: &Net, name: &str, since: Duration) -> Vec<&'static str> {
    let events = net.events.iter().filter(|(at, _)| *at >= since);
    let kinds = events.filter_map(|(_, event)| match &event.kind {
        RoomEventKind::Joined(info) => Some((&info.participant, "joined")),
        RoomEventKind::Connected { participant } => Some((participant, "connected")),
        RoomEventKind::Reconnecting(info) => Some((&info.participant, "reconnecting")),
        RoomEventKind::Resumed(info) => Some((&info.participant, "resumed")),
        RoomEventKind::Left { participant, .. } => Some((participant, "left")),
        _ => None,
    });
    let of_them = kinds.filter(|(who, _)| who.as_str() == name);
    of_them.map(|(_, what)| what).collect()
}

/// All three talk and hear each other.
fn everybody_is_heard(net: &mut Net, people: [ClientId; 3]) {
    net.forget_heard();
    let speakers = people.map(|id| (id, 20));
    for speaker in speakers {
        net.speak(&[speaker], Duration::from_secs(1));
        net.run_for(Duration::from_secs(2));
    }
    let [a, b, c] = people;
    let voices = people.map(|id| net.clients[id].voices());
    assert_eq!(voices, [sorted([b, c]), sorted([a, c]), sorted([a, b])]);
    oracle::assert_holds(net);
}

fn sorted(mut two: [ClientId; 2]) -> Vec<ClientId> {
    two.sort_unstable();
    two.to_vec()
}

/// The network of somebody is cut for 20 s while another one talks.
fn cut(net: &mut Net, who: ClientId, talks: ClientId) -> Duration {
    let since = net.elapsed();
    net.set_cut(who, true);
    net.speak(&[(talks, 20)], CUT);
    net.set_cut(who, false);
    since
}

#[test]
fn by_themselves() {
    for layout in LAYOUTS {
        let (mut net, [ann, ben, cem]) = room(layout);
        let before = info(&net, "ann");
        let since = cut(&mut net, ann, ben);
        assert_eq!(info(&net, "ann").state, ConnectionState::Reconnecting);
        net.run_for(CHECK);
        assert_eq!(told(&net, "ann", since), ["reconnecting", "resumed"]);
        let after = info(&net, "ann");
        assert_eq!((after.session, after.csrc), (before.session, before.csrc));
        everybody_is_heard(&mut net, [ann, ben, cem]);
    }
}

#[test]
fn by_themselves_with_nothing_sent_to_them_meanwhile() {
    for layout in LAYOUTS {
        let (mut net, [ann, ben, _]) = room(layout);
        let address = net.clients[ann].outer;
        net.set_cut(ann, true);
        net.speak(&[(ben, 20)], Limits::default().ice_timeout);
        assert_eq!(info(&net, "ann").state, ConnectionState::Reconnecting);
        // What was under way between workers has arrived.
        net.run_for(Duration::from_millis(100));
        let sent = net.traffic[&address].bytes_out;
        net.speak(&[(ben, 20)], Duration::from_secs(12));
        assert_eq!(net.traffic[&address].bytes_out, sent, "{layout}");
    }
}

#[test]
fn by_an_ice_restart_from_another_address() {
    for layout in LAYOUTS {
        let (mut net, [ann, ben, cem]) = room(layout);
        let before = described(&net, "ann");
        let since = cut(&mut net, ann, ben);
        net.rebind_anywhere(ann);
        net.restart_ice(ann).unwrap();
        net.run_for(Duration::from_secs(1));
        assert_eq!(told(&net, "ann", since), ["reconnecting", "resumed"]);
        assert_eq!(described(&net, "ann"), before);
        everybody_is_heard(&mut net, [ann, ben, cem]);
    }
}

#[test]
fn by_a_new_session() {
    for layout in LAYOUTS {
        let (mut net, [ann, ben, cem]) = room(layout);
        net.set_muted(ann, MuteSource::Moderator, true);
        net.set_muted(ann, MuteSource::Participant, true);
        let choice = Subscription::all_except([participant("cem")].into()).unwrap();
        net.change(ann, ParticipantChange::Subscription(choice));
        let before = info(&net, "ann");
        let since = cut(&mut net, ann, ben);
        let again = net.come_again(ann).unwrap();
        net.wait_until_connected(again);
        // Away; away by another session; there.
        let expected = ["reconnecting", "reconnecting", "resumed"];
        assert_eq!(told(&net, "ann", since), expected);
        let after = info(&net, "ann");
        assert_ne!(after.session, before.session);
        let same = ParticipantInfo {
            session: before.session.clone(),
            ..after
        };
        assert_eq!(same, before);
        net.forget_heard();
        net.speak(&[(again, 15), (ben, 20), (cem, 20)], Duration::from_secs(1));
        assert_eq!(net.clients[again].voices(), [ben], "as chosen before");
        assert_eq!(net.clients[ben].voices(), [cem], "as muted before");
        net.set_muted(again, MuteSource::Moderator, false);
        net.set_muted(again, MuteSource::Participant, false);
        net.change(
            again,
            ParticipantChange::Subscription(Subscription::EVERYBODY),
        );
        everybody_is_heard(&mut net, [again, ben, cem]);
        assert_eq!(net.stats().seats, 3);
    }
}

#[test]
fn by_a_new_session_while_the_old_one_is_connected() {
    for layout in LAYOUTS {
        let (mut net, [ann, ben, cem]) = room(layout);
        let since = net.elapsed();
        let again = net.come_again(ann).unwrap();
        net.wait_until_connected(again);
        assert_eq!(told(&net, "ann", since), ["reconnecting", "resumed"]);
        assert_eq!(net.csrc(again), net.csrc(ann));
        everybody_is_heard(&mut net, [again, ben, cem]);
        assert_eq!(net.stats().seats, 3);
        assert_eq!(
            net.come_again(ann).map(drop),
            Err(Error::SessionMismatch),
            "in the place of a session that is no more"
        );
    }
}

#[test]
fn not_when_it_is_too_late() {
    for layout in LAYOUTS {
        let (mut net, [ann, ..]) = room(layout);
        let limits = Limits::default();
        let since = net.elapsed();
        net.set_cut(ann, true);
        net.run_for(limits.ice_timeout + limits.resume_window - Duration::from_millis(100));
        assert_eq!(told(&net, "ann", since), ["reconnecting"]);
        net.run_for(Duration::from_millis(200));
        assert_eq!(told(&net, "ann", since), ["reconnecting", "left"]);
        let reasons = net.events.iter().find_map(|(_, event)| match event.kind {
            RoomEventKind::Left { reason, .. } => Some(reason),
            _ => None,
        });
        assert_eq!(reasons, Some(LeaveReason::IceTimeout));
        net.set_cut(ann, false);
        assert_eq!(net.restart_ice(ann), Err(Error::ParticipantNotFound));
        assert_eq!(
            net.come_again(ann).map(drop),
            Err(Error::ParticipantNotFound)
        );
        assert_eq!(net.stats().seats, 2);
    }
}

#[test]
fn not_when_they_were_sent_away_meanwhile() {
    for layout in LAYOUTS {
        let (mut net, [ann, ben, _]) = room(layout);
        let since = cut(&mut net, ann, ben);
        net.remove(ann).unwrap();
        assert_eq!(told(&net, "ann", since), ["reconnecting", "left"]);
        net.run_for(Duration::from_secs(1));
        assert_eq!(net.stats().seats, 2);
        assert_eq!(
            net.come_again(ann).map(drop),
            Err(Error::ParticipantNotFound)
        );
    }
}

#[test]
fn by_a_new_session_into_a_full_room() {
    let limits = Limits {
        participants_per_room: 3,
        participants: 3,
        ..Limits::default()
    };
    let mut net = Net::with_limits(limits);
    let [ann, ben, cem] = ["ann", "ben", "cem"].map(|name| net.join(name, 2));
    let again = net.come_again(ann).unwrap();
    net.wait_until_connected(again);
    everybody_is_heard(&mut net, [again, ben, cem]);
}
