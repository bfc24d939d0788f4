//! What the browsers are told, whatever order the two sources come in.

use stoa_client::v1::{
    ParticipantConnected, ParticipantJoined, ParticipantLeft, ParticipantUpdated,
};

use super::*;

fn participant(id: &str, session: &str) -> Participant {
    Participant {
        participant_id: id.into(),
        session_id: session.into(),
        display_name: id.to_uppercase(),
        csrc: 7,
        state: ConnectionState::Connecting.into(),
        ..Participant::default()
    }
}

fn message(revision: u64, event: Event) -> WatchResponse {
    WatchResponse {
        revision,
        time: None,
        event: Some(event),
    }
}

fn joined(revision: u64, id: &str, session: &str) -> WatchResponse {
    let participant = Some(participant(id, session));
    message(
        revision,
        Event::ParticipantJoined(ParticipantJoined { participant }),
    )
}

fn left(revision: u64, id: &str, session: &str) -> WatchResponse {
    let reason = LeaveReason::IceTimeout.into();
    let event = ParticipantLeft {
        participant_id: id.into(),
        session_id: session.into(),
        reason,
        return_advice: 0,
    };
    message(revision, Event::ParticipantLeft(event))
}

fn snapshot(revision: u64, participants: Vec<Participant>) -> WatchResponse {
    message(
        revision,
        Event::Snapshot(Room {
            participants,
            ..Default::default()
        }),
    )
}

fn gone(id: &str, session: &str, reason: &'static str) -> Change {
    Change::Left {
        id: id.into(),
        session_id: session.into(),
        reason,
    }
}

fn ids(roster: &Roster) -> Vec<&str> {
    roster.people().map(|p| p.id.as_str()).collect()
}

#[test]
fn a_join_answer_ahead_of_the_stream_is_told_once() {
    let mut roster = Roster::default();
    roster.apply(snapshot(1, vec![]));
    let Admission::New(person) = roster.admit(&participant("a", "1"), 2) else {
        panic!("the stream has not said it")
    };
    assert_eq!((person.name.as_str(), person.connected), ("A", false));
    assert_eq!(roster.apply(joined(2, "a", "1")), []);
    assert_eq!(roster.admit(&participant("a", "1"), 2), Admission::Known);
}

#[test]
fn a_join_answer_behind_the_stream_is_known_or_gone() {
    let mut roster = Roster::default();
    assert_eq!(roster.apply(joined(2, "a", "1")).len(), 1);
    assert_eq!(roster.admit(&participant("a", "1"), 2), Admission::Known);
    let change = roster.apply(left(3, "a", "1"));
    assert_eq!(change, [gone("a", "1", "ice_timeout")]);
    assert_eq!(roster.admit(&participant("a", "1"), 2), Admission::Gone);
    assert_eq!(ids(&roster), [""; 0]);
}

#[test]
fn a_snapshot_older_than_a_join_does_not_remove_them() {
    let mut roster = Roster::default();
    roster.admit(&participant("a", "1"), 5);
    assert_eq!(roster.apply(snapshot(4, vec![])), []);
    assert_eq!(ids(&roster), ["a"]);
    assert_eq!(
        roster.apply(snapshot(6, vec![])),
        [gone("a", "1", "unknown")]
    );
}

#[test]
fn a_snapshot_after_a_break_tells_the_difference() {
    let mut roster = Roster::default();
    roster.apply(snapshot(
        3,
        vec![participant("a", "1"), participant("b", "1")],
    ));
    let mut b = participant("b", "1");
    b.state = ConnectionState::Connected.into();
    let changes = roster.apply(snapshot(9, vec![b.clone(), participant("c", "1")]));
    let c = person(&participant("c", "1"));
    let expected = [
        gone("a", "1", "unknown"),
        Change::Updated(person(&b)),
        Change::Joined(c),
    ];
    assert_eq!(changes, expected);
}

#[test]
fn another_session_of_the_same_id_is_somebody_else() {
    let mut roster = Roster::default();
    roster.apply(joined(2, "a", "1"));
    let changes = roster.apply(joined(4, "a", "2"));
    assert_eq!(changes[0], gone("a", "1", "unknown"));
    assert!(matches!(&changes[1], Change::Joined(p) if p.id == "a"));
    assert_eq!(
        roster.apply(left(5, "a", "1")),
        [],
        "the old session's end is no news"
    );
    assert_eq!(ids(&roster), ["a"]);
}

#[test]
fn audio_coming_up_is_told_once() {
    let mut roster = Roster::default();
    roster.apply(joined(2, "a", "1"));
    let mut up = participant("a", "1");
    up.state = ConnectionState::Connected.into();
    let told = Change::Updated(person(&up));
    let event = Event::ParticipantConnected(ParticipantConnected {
        participant: Some(up),
    });
    assert_eq!(roster.apply(message(3, event.clone())), [told]);
    assert_eq!(roster.apply(message(3, event)), []);
}

#[test]
fn what_stoa_says_about_somebody_is_read_and_told_once() {
    let mut roster = Roster::default();
    roster.apply(joined(2, "a", "1"));
    let mut changed = participant("a", "1");
    changed.role = stoa_client::v1::Role::Moderator.into();
    changed.muted_by_moderator = true;
    changed.connection_quality = ConnectionQuality::Poor.into();
    changed.metadata = [("hand", "1700"), ("creator", "1")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let event = Event::ParticipantUpdated(ParticipantUpdated {
        participant: Some(changed),
        ..ParticipantUpdated::default()
    });
    let changes = roster.apply(message(3, event.clone()));
    let [Change::Updated(now)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(now.role, Role::Moderator);
    assert_eq!(now.hand_raised_at, Some(1700));
    assert_eq!(now.quality, Some("poor"));
    assert!(now.muted_by_moderator && !now.muted && now.creator && !now.invited);
    assert_eq!(roster.apply(message(3, event)), []);
}

#[test]
fn speakers_who_are_not_in_the_room_are_left_out() {
    let mut roster = Roster::default();
    roster.apply(joined(2, "a", "1"));
    let speaker = |id: &str| stoa_client::v1::ActiveSpeaker {
        participant_id: id.into(),
        level_dbov: 30,
    };
    let told = |dominant: &str| ActiveSpeakers {
        speakers: vec![speaker("x"), speaker("a")],
        dominant_participant_id: dominant.into(),
    };
    let a = Speaker {
        id: "a".into(),
        level_dbov: 30,
    };
    for (dominant, expected) in [("a", Some("a")), ("x", None), ("", None)] {
        let changes = roster.apply(message(2, Event::ActiveSpeakers(told(dominant))));
        let expected = expected.map(str::to_owned);
        assert_eq!(changes, [Change::Speaking(vec![a.clone()], expected)]);
    }
}
