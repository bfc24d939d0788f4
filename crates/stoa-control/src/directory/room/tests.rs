use stoa_core::{ActiveSpeakers, AudioLevel, CloseReason, Csrc};

use super::*;

const NOW: Timestamp = Timestamp {
    seconds: 1,
    nanos: 0,
};

fn room(log_capacity: usize) -> Room {
    let id = RoomId::new("r").expect("an identifier");
    let snapshot = RoomSnapshot {
        room: id,
        revision: Revision(1),
        settings: Default::default(),
        participants: Vec::new(),
    };
    Room::new(&snapshot, 0, NOW, log_capacity)
}

fn joined(name: &str) -> RoomEventKind {
    RoomEventKind::Joined(ParticipantInfo {
        participant: ParticipantId::new(name).expect("an identifier"),
        session: SessionId::new(name).expect("an identifier"),
        display_name: name.into(),
        csrc: Csrc(7),
        state: stoa_core::ConnectionState::Connecting,
        role: Default::default(),
        mutes: Default::default(),
        metadata: Default::default(),
        audio_mode: Default::default(),
        connection_quality: None,
        level_distrusted: false,
    })
}

fn speakers(name: &str) -> RoomEventKind {
    let who = ParticipantId::new(name).expect("an identifier");
    RoomEventKind::ActiveSpeakers(ActiveSpeakers {
        speakers: vec![(who, AudioLevel::from_minus_dbov(20))],
        dominant: None,
    })
}

fn next(room: &Room, cursor: &mut Cursor) -> Option<WatchResponse> {
    match room.step(cursor, NOW) {
        Step::Send(response) | Step::Anew(response) => Some(WatchResponse::clone(&response)),
        Step::Wait | Step::End => None,
    }
}

#[test]
fn a_watcher_gets_every_event_in_order() {
    let room = room(8);
    let (first, mut cursor) = room.watch(0, NOW).expect("it is open");
    assert!(matches!(first.event, Some(ApiEvent::Snapshot(_))));
    room.apply(Revision(2), joined("a"), NOW);
    room.apply(Revision(3), joined("b"), NOW);
    assert_eq!(next(&room, &mut cursor).map(|r| r.revision), Some(2));
    assert_eq!(next(&room, &mut cursor).map(|r| r.revision), Some(3));
    assert!(matches!(room.step(&mut cursor, NOW), Step::Wait));
}

#[test]
fn a_watcher_that_fell_behind_gets_a_snapshot() {
    let room = room(2);
    let (_, mut cursor) = room.watch(0, NOW).expect("it is open");
    for revision in 2..=6 {
        room.apply(Revision(revision), joined(&format!("p{revision}")), NOW);
    }
    let Step::Anew(snapshot) = room.step(&mut cursor, NOW) else {
        panic!("2 is not held any more");
    };
    assert_eq!(snapshot.revision, 6);
    assert!(
        matches!(&snapshot.event, Some(ApiEvent::Snapshot(room)) if room.participants.len() == 5)
    );
    assert!(next(&room, &mut cursor).is_none());
}

#[test]
fn only_the_latest_speakers_are_told_and_after_everything_else() {
    let room = room(8);
    let (_, mut cursor) = room.watch(0, NOW).expect("it is open");
    room.apply(Revision(1), speakers("a"), NOW);
    room.apply(Revision(1), speakers("b"), NOW);
    room.apply(Revision(2), joined("c"), NOW);
    assert_eq!(next(&room, &mut cursor).map(|r| r.revision), Some(2));
    let heard = next(&room, &mut cursor).expect("there are some");
    assert_eq!(heard.revision, 2, "a watcher's revision never goes back");
    let Some(ApiEvent::ActiveSpeakers(heard)) = heard.event else {
        panic!("{heard:?}")
    };
    assert_eq!(heard.speakers[0].participant_id, "b");
    assert!(next(&room, &mut cursor).is_none());
}

#[test]
fn the_end_comes_last_and_even_to_those_who_fell_behind() {
    let room = room(1);
    let (_, mut behind) = room.watch(0, NOW).expect("it is open");
    room.apply(Revision(2), joined("a"), NOW);
    let (_, mut beside) = room.watch(0, NOW).expect("it is open");
    room.apply(Revision(3), joined("b"), NOW);
    room.apply(Revision(4), RoomEventKind::Closed(CloseReason::Closed), NOW);
    for cursor in [&mut behind, &mut beside] {
        let last = next(&room, cursor).expect("the end");
        assert!(
            matches!(last.event, Some(ApiEvent::RoomClosed(_))),
            "{last:?}"
        );
        assert!(matches!(room.step(cursor, NOW), Step::End));
    }
    assert_eq!(room.watch(0, NOW).err(), Some(CannotWatch::Closed));
}

#[test]
fn a_watch_resumes_where_the_revision_is_held() {
    let room = room(2);
    for revision in 2..=5 {
        room.apply(Revision(revision), joined(&format!("p{revision}")), NOW);
    }
    let (first, mut cursor) = room.watch(3, NOW).expect("it is open");
    assert!(matches!(first.event, Some(ApiEvent::Bookmark(_))));
    assert_eq!(
        (first.revision, next(&room, &mut cursor).map(|r| r.revision)),
        (3, Some(4))
    );
    let (first, cursor) = room.watch(2, NOW).expect("it is open");
    assert!(
        matches!(first.event, Some(ApiEvent::Snapshot(_))),
        "2 is not held any more"
    );
    assert_eq!(cursor.revision(), 5);
    assert_eq!(room.watch(6, NOW).err(), Some(CannotWatch::InFuture(5)));
}

#[test]
fn a_snapshot_keeps_the_times_of_those_who_stayed() {
    let room = room(8);
    room.apply(Revision(2), joined("a"), NOW);
    let later = Timestamp {
        seconds: 9,
        nanos: 0,
    };
    let RoomEventKind::Joined(a) = joined("a") else {
        unreachable!()
    };
    let RoomEventKind::Joined(b) = joined("b") else {
        unreachable!()
    };
    let id = RoomId::new("r").expect("an identifier");
    let snapshot = RoomSnapshot {
        room: id,
        revision: Revision(5),
        settings: Default::default(),
        participants: vec![a, b],
    };
    room.replace(&snapshot, later, 8);
    let times: Vec<_> = room
        .show(true)
        .participants
        .iter()
        .map(|p| p.join_time)
        .collect();
    assert_eq!(times, [Some(NOW), Some(later)]);
}

#[test]
fn a_thousand_watchers_share_what_they_are_sent() {
    let room = room(8);
    let begin = |_| room.watch(0, NOW).expect("it is open");
    let mut watchers: Vec<_> = (0..1_000).map(begin).collect();
    let (first, _) = &watchers[0];
    assert!(watchers.iter().all(|(other, _)| Arc::ptr_eq(first, other)));
    room.apply(Revision(2), joined("a"), NOW);
    let mut event = None;
    for (_, cursor) in &mut watchers {
        let Step::Send(sent) = room.step(cursor, NOW) else {
            panic!("there is an event");
        };
        assert!(Arc::ptr_eq(
            event.get_or_insert_with(|| Arc::clone(&sent)),
            &sent
        ));
    }
    room.apply(Revision(2), speakers("a"), NOW);
    room.apply(Revision(3), joined("b"), NOW);
    let mut heard = None;
    for (_, cursor) in &mut watchers {
        assert!(matches!(room.step(cursor, NOW), Step::Send(_)));
        let Step::Send(sent) = room.step(cursor, NOW) else {
            panic!("somebody is heard");
        };
        assert_eq!(sent.revision, 3);
        assert!(Arc::ptr_eq(
            heard.get_or_insert_with(|| Arc::clone(&sent)),
            &sent
        ));
    }
    for revision in 4..20 {
        room.apply(Revision(revision), joined(&format!("p{revision}")), NOW);
    }
    let mut snapshot = None;
    for (_, cursor) in &mut watchers {
        let Step::Anew(sent) = room.step(cursor, NOW) else {
            panic!("they have fallen behind");
        };
        assert!(Arc::ptr_eq(
            snapshot.get_or_insert_with(|| Arc::clone(&sent)),
            &sent
        ));
    }
}
