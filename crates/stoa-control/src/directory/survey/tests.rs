use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use stoa_api::v1::{WatchResponse, watch_response::Event as ApiEvent};
use stoa_core::{
    ActiveSpeakers, CloseReason, RoomEvent, RoomEventKind, RoomSettings, RoomSnapshot, TenantId,
};

use super::*;

fn directory(events_per_tenant: usize) -> Arc<Directory> {
    let clock = Arc::new(|| SystemTime::UNIX_EPOCH);
    Arc::new(Directory::new(clock, 8, events_per_tenant))
}

fn id(tenant: &str, room: &str) -> RoomId {
    let tenant = TenantId::new(tenant).expect("an identifier");
    RoomId::of_tenant(&tenant, room).expect("an identifier")
}

fn tell(directory: &Directory, room: &RoomId, revision: u64, kind: RoomEventKind) {
    let event = RoomEvent {
        room: room.clone(),
        revision: Revision(revision),
        kind,
    };
    assert!(directory.apply(event), "nothing is missing");
}

fn create(directory: &Directory, room: &RoomId) {
    tell(
        directory,
        room,
        1,
        RoomEventKind::Created(RoomSettings::default()),
    );
}

fn update(directory: &Directory, room: &RoomId, revision: u64) {
    tell(
        directory,
        room,
        revision,
        RoomEventKind::RoomUpdated(RoomSettings::default()),
    );
}

fn close(directory: &Directory, room: &RoomId, revision: u64) {
    tell(
        directory,
        room,
        revision,
        RoomEventKind::Closed(CloseReason::Closed),
    );
}

/// The revision of each room, as somebody knows it who has taken all pieces.
#[derive(Default)]
struct Known(BTreeMap<String, u64>);

impl Known {
    fn take(&mut self, entry: &Entry) {
        let WatchResponse {
            revision, event, ..
        } = &*entry.event;
        let room = entry.room.name().to_owned();
        match event {
            Some(ApiEvent::RoomCreated(_)) => {
                assert_eq!(self.0.insert(room, *revision), None);
            }
            Some(ApiEvent::RoomClosed(_)) => {
                assert_eq!(self.0.remove(&room), Some(revision - 1));
            }
            _ => assert_eq!(self.0.insert(room, *revision), Some(revision - 1)),
        }
    }

    /// Takes a whole survey; `meanwhile` happens after each piece. Returns where it ends.
    fn survey(
        &mut self,
        directory: &Directory,
        log: &TenantLog,
        mut meanwhile: impl FnMut(),
    ) -> Option<u64> {
        self.0.clear();
        let mut survey = directory.survey("t", log);
        loop {
            match survey.next(directory, log, directory.now()) {
                Piece::Room(room) => {
                    assert_eq!(self.0.insert(room.room_id, room.revision), None);
                }
                Piece::Event(entry) => self.take(&entry),
                Piece::End => return Some(survey.revision()),
                Piece::Forgotten => return None,
            }
            meanwhile();
        }
    }

    /// What is true now.
    fn is_true(&self, directory: &Directory) -> bool {
        let inner = directory.inner();
        let rooms = inner.rooms_of("t").into_iter();
        let truly = rooms.map(|room| (room.id().name().to_owned(), room.revision()));
        self.0.clone().into_iter().eq(truly)
    }
}

#[test]
fn what_happens_during_a_survey_is_told_once() {
    let directory = directory(64);
    let rooms = ["a", "b", "c", "d"].map(|name| id("t", name));
    for room in &rooms {
        create(&directory, room);
    }
    let log = directory.tenant("t");
    let mut known = Known::default();
    let (mut turn, new) = (0, id("t", "e"));
    let end = known.survey(&directory, &log, || {
        turn += 1;
        match turn {
            // One that was shown, one that was not, one that comes, one that goes before its turn.
            1 => {
                update(&directory, &rooms[0], 2);
                update(&directory, &rooms[1], 2);
                create(&directory, &new);
                close(&directory, &rooms[2], 2);
            }
            // One that goes and comes again, after all were shown.
            3 => {
                close(&directory, &rooms[3], 2);
                create(&directory, &rooms[3]);
            }
            _ => {}
        }
    });
    let mut at = end.expect("it is held");
    while let Next::Event(entry) = log.after(at, None) {
        at += 1;
        known.take(&entry);
    }
    assert!(known.is_true(&directory), "{:?}", known.0);
}

#[test]
fn it_is_exact_while_another_thread_goes_on() {
    let directory = directory(1 << 20);
    let rooms = ["a", "b", "c"].map(|name| id("t", name));
    let log = directory.tenant("t");
    std::thread::scope(|scope| {
        let churn = scope.spawn(|| {
            for life in 0..2_000 {
                let room = &rooms[life % rooms.len()];
                create(&directory, room);
                for revision in 2..5 {
                    update(&directory, room, revision);
                }
                if life % 7 != 0 || life + rooms.len() < 2_000 {
                    close(&directory, room, 5);
                }
            }
        });
        let mut known = Known::default();
        while !churn.is_finished() {
            let end = known.survey(&directory, &log, || {});
            let mut at = end.expect("it is held");
            for _ in 0..5 {
                if let Next::Event(entry) = log.after(at, None) {
                    at += 1;
                    known.take(&entry);
                }
            }
        }
        churn.join().expect("no panic");
        known.survey(&directory, &log, || {});
        assert!(known.is_true(&directory), "{:?}", known.0);
    });
}

#[test]
fn a_survey_that_takes_too_long_begins_anew() {
    let directory = directory(2);
    let room = id("t", "a");
    create(&directory, &room);
    let log = directory.tenant("t");
    let mut revision = 1;
    let end = Known::default().survey(&directory, &log, || {
        for _ in 0..3 {
            revision += 1;
            update(&directory, &room, revision);
        }
    });
    assert_eq!(end, None);
}

#[test]
fn tenants_see_nothing_of_each_other() {
    let directory = directory(64);
    let (log, other) = (directory.tenant("t"), directory.tenant("other"));
    let before = other.revision();
    for tenant in ["t", "tt", "s"] {
        create(&directory, &id(tenant, "a"));
        let nobody = RoomEventKind::ActiveSpeakers(ActiveSpeakers::default());
        tell(&directory, &id(tenant, "a"), 1, nobody);
    }
    let mut known = Known::default();
    known.survey(&directory, &log, || {}).expect("it is held");
    assert_eq!(known.0.len(), 1);
    assert_eq!(other.revision(), before);
    assert!(matches!(other.after(before, Some(0)), Next::Nothing));
    let Next::Heard(1, _, entry) = log.after(log.revision(), Some(0)) else {
        panic!("there is a report")
    };
    assert_eq!(entry.room, id("t", "a"));
    assert!(matches!(log.after(log.revision(), Some(1)), Next::Nothing));
    close(&directory, &id("t", "a"), 2);
    assert!(matches!(log.after(log.revision(), Some(0)), Next::Nothing));
}

#[test]
fn a_thousand_surveys_share_rooms_and_snapshots() {
    let directory = directory(64);
    let room = id("t", "a");
    create(&directory, &room);
    let log = directory.tenant("t");
    let surveys: Vec<_> = (0..1_000).map(|_| directory.survey("t", &log)).collect();
    let first = &surveys[0];
    assert!(
        surveys
            .iter()
            .all(|other| Arc::ptr_eq(&first.rooms, &other.rooms))
    );
    let portrait = || {
        first.rooms[0]
            .portrait(directory.now())
            .expect("it is open")
    };
    let once = portrait();
    assert!((0..1_000).all(|_| Arc::ptr_eq(&once, &portrait())));
}

#[test]
fn after_a_loss_nothing_is_continued() {
    let directory = directory(64);
    let room = id("t", "a");
    create(&directory, &room);
    let log = directory.tenant("t");
    let (before, mut survey) = (log.revision(), directory.survey("t", &log));
    let snapshot = RoomSnapshot {
        room: room.clone(),
        revision: Revision(4),
        settings: RoomSettings::default(),
        participants: Vec::new(),
    };
    directory.replace(vec![snapshot]);
    assert!(matches!(log.after(before, None), Next::Forgotten));
    survey.next(&directory, &log, directory.now());
    let piece = survey.next(&directory, &log, directory.now());
    assert!(matches!(piece, Piece::Forgotten));
    let mut known = Known::default();
    known.survey(&directory, &log, || {}).expect("it is held");
    assert!(known.is_true(&directory));
}
