use std::time::SystemTime;

use futures_util::FutureExt as _;
use stoa_core::{CloseReason, ParticipantId, ParticipantInfo, Revision, SessionId, TenantId};

use super::*;

fn directory() -> Arc<Directory> {
    Arc::new(Directory::new(Arc::new(|| SystemTime::UNIX_EPOCH), 8, 16))
}

fn id(text: &str) -> RoomId {
    RoomId::new(text).expect("an identifier")
}

fn event(room: &str, revision: u64, kind: RoomEventKind) -> RoomEvent {
    RoomEvent {
        room: id(room),
        revision: Revision(revision),
        kind,
    }
}

fn info(name: &str) -> ParticipantInfo {
    ParticipantInfo {
        participant: ParticipantId::new(name).expect("an identifier"),
        session: SessionId::new(&format!("session-of-{name}")).expect("an identifier"),
        display_name: name.into(),
        csrc: stoa_core::Csrc(1),
        state: stoa_core::ConnectionState::Connecting,
        role: Default::default(),
        mutes: Default::default(),
        metadata: Default::default(),
        audio_mode: Default::default(),
        connection_quality: None,
        level_distrusted: false,
    }
}

fn snapshot(room: &str, revision: u64, names: &[&str]) -> RoomSnapshot {
    let participants = names.iter().map(|name| info(name)).collect();
    RoomSnapshot {
        room: id(room),
        revision: Revision(revision),
        settings: Default::default(),
        participants,
    }
}

#[tokio::test]
async fn a_follower_of_a_room_that_is_closed_meanwhile_does_not_wait() {
    let directory = directory();
    assert!(directory.apply(event("a", 1, RoomEventKind::Created(Default::default()))));
    let follow = directory.follow(&id("a"));
    assert!(directory.apply(event("a", 2, RoomEventKind::Closed(CloseReason::Closed))));
    assert_eq!(follow.reached(Revision(5)).await, 5);
    assert!(
        directory.inner().follows.is_empty(),
        "nothing is left behind"
    );
}

#[tokio::test]
async fn a_follower_waits_for_its_revision() {
    let directory = directory();
    directory.apply(event("a", 1, RoomEventKind::Created(Default::default())));
    let mut reached = Box::pin(directory.follow(&id("a")).reached(Revision(2)));
    assert!((&mut reached).now_or_never().is_none());
    directory.apply(event("a", 2, RoomEventKind::Joined(info("p"))));
    assert_eq!(reached.await, 2);
}

#[tokio::test]
async fn the_creator_sees_the_room_even_if_it_is_gone_again() {
    let directory = directory();
    let follow = directory.follow(&id("a"));
    directory.apply(event("a", 1, RoomEventKind::Created(Default::default())));
    directory.apply(event("a", 2, RoomEventKind::Closed(CloseReason::Closed)));
    let room = follow.created().await.expect("it was seen");
    assert_eq!(room.id(), &id("a"));
}

#[tokio::test]
async fn the_creator_does_not_wait_for_a_room_that_was_lost() {
    let directory = directory();
    let follow = directory.follow(&id("a"));
    directory.replace(Vec::new());
    assert!(follow.created().await.is_none());
}

#[test]
fn a_gap_is_noticed_and_stale_events_are_not_taken() {
    let directory = directory();
    assert!(directory.apply(event("a", 1, RoomEventKind::Created(Default::default()))));
    assert!(!directory.apply(event("a", 3, RoomEventKind::Joined(info("q")))));
    directory.replace(vec![snapshot("a", 3, &["p", "q"])]);
    assert!(directory.apply(event("a", 2, RoomEventKind::Joined(info("p")))));
    assert!(
        directory.apply(event("b", 9, RoomEventKind::Closed(CloseReason::Closed))),
        "b was closed before"
    );
    let room = directory.get(&id("a")).expect("it is there");
    assert_eq!((room.revision(), room.participant_count()), (3, 2));
}

#[test]
fn a_room_created_again_while_events_were_lost_is_another_room() {
    let directory = directory();
    directory.apply(event("a", 1, RoomEventKind::Created(Default::default())));
    directory.apply(event("a", 2, RoomEventKind::Joined(info("p"))));
    let first = directory.get(&id("a")).expect("it is there");
    directory.replace(vec![snapshot("a", 2, &["q"])]);
    let second = directory.get(&id("a")).expect("it is there");
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(
        first.watch(0, directory.now()).is_err(),
        "the first one is closed"
    );
}

#[test]
fn an_empty_room_created_again_with_other_settings_is_another_room() {
    let directory = directory();
    directory.apply(event("a", 1, RoomEventKind::Created(Default::default())));
    let first = directory.get(&id("a")).expect("it is there");
    let mut again = snapshot("a", 1, &[]);
    again.settings.max_participants = Some(7);
    directory.replace(vec![again]);
    let second = directory.get(&id("a")).expect("it is there");
    assert!(second.revision() > first.revision());
    assert_eq!(second.show(false).max_participants, 7);
}

#[test]
fn an_unchanged_room_keeps_its_events() {
    let directory = directory();
    directory.apply(event("a", 1, RoomEventKind::Created(Default::default())));
    directory.apply(event("a", 2, RoomEventKind::Joined(info("p"))));
    directory.replace(vec![snapshot("a", 2, &["p"])]);
    let room = directory.get(&id("a")).expect("it is there");
    let (first, _) = room.watch(1, directory.now()).expect("it is open");
    assert_eq!(first.revision, 1, "revision 1 is still held");
}

#[test]
fn pages_follow_the_identifiers_of_one_tenant() {
    let directory = directory();
    let tenant = |name| TenantId::new(name).expect("an identifier");
    let room = |of, name| RoomId::of_tenant(&tenant(of), name).expect("an identifier");
    for (of, name) in [("t", "c"), ("t", "a"), ("t", "b"), ("s", "z"), ("u", "0")] {
        let created = RoomEventKind::Created(Default::default());
        directory.apply(RoomEvent {
            room: room(of, name),
            ..event("a", 1, created)
        });
    }
    let (page, more) = directory.page(&tenant("t"), None, 2);
    let names: Vec<_> = page.iter().map(|room| room.id().name()).collect();
    assert_eq!((names, more), (vec!["a", "b"], true));
    let (page, more) = directory.page(&tenant("t"), Some(&room("t", "b")), 2);
    assert_eq!((page[0].id().name(), page.len(), more), ("c", 1, false));
}

#[test]
fn a_follower_may_give_up() {
    let directory = directory();
    let follow = directory.follow(&id("a"));
    let again = directory.follow(&id("a"));
    assert!(again.closed().now_or_never().is_none());
    assert_eq!(directory.inner().follows.len(), 1);
    drop(follow);
    assert!(directory.inner().follows.is_empty());
}
