//! What happens in all rooms of one tenant, in one order.
//!
//! The events themselves are shared with the rooms' own logs, and watchers read them at their own pace: nothing
//! is queued for anybody. Who is heard is no event: of each room the newest report is kept, and told to those
//! who want to know once they have seen everything else.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use stoa_api::v1::{WatchResponse, watch_response::Event as ApiEvent};
use stoa_core::RoomId;
use tokio::sync::watch;

use super::{
    Room,
    log::{After, Log},
};

/// The events of a tenant's rooms.
#[derive(Debug)]
pub(crate) struct TenantLog {
    state: Mutex<State>,
    capacity: usize,
    /// Wakes those who want events.
    changed: watch::Sender<()>,
    /// Wakes those who want to know who is heard, too.
    heard: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    log: Log<Entry>,
    speakers: Speakers,
    /// The tenant's rooms, once somebody has asked: until one comes or goes.
    rooms: Option<Arc<[Arc<Room>]>>,
}

/// Something that happened in a room.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) room: RoomId,
    pub(crate) event: Arc<WatchResponse>,
}

/// The newest report of each room, in the order in which they came.
#[derive(Debug, Default)]
struct Speakers {
    reports: u64,
    newest: BTreeMap<u64, Report>,
    of_room: HashMap<RoomId, u64>,
}

/// Who is heard in a room.
#[derive(Debug)]
struct Report {
    entry: Entry,
    /// The room's revision by now.
    revision: u64,
}

/// What a watcher gets next.
#[derive(Debug)]
pub(crate) enum Next {
    /// This event, of the revision after the one it knows.
    Event(Entry),
    /// Who is heard in a room, at which revision that is by now, and the number of the report.
    Heard(u64, u64, Entry),
    /// Nothing yet.
    Nothing,
    /// What comes next is no longer held.
    Forgotten,
}

impl TenantLog {
    /// An empty log, in which the next event has the revision after `base`.
    pub(super) fn new(base: u64, capacity: usize) -> Self {
        let state = State {
            log: Log::new(base, capacity),
            speakers: Speakers::default(),
            rooms: None,
        };
        Self {
            state: Mutex::new(state),
            capacity,
            changed: watch::Sender::new(()),
            heard: watch::Sender::new(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was told in a room.
    pub(super) fn push(&self, room: &RoomId, event: Arc<WatchResponse>) {
        let entry = Entry {
            room: room.clone(),
            event,
        };
        let mut state = self.state();
        if matches!(entry.event.event, Some(ApiEvent::ActiveSpeakers(_))) {
            state.speakers.report(entry);
            drop(state);
            self.heard.send_replace(());
            return;
        }
        match &entry.event.event {
            Some(ApiEvent::RoomCreated(_)) => state.rooms = None,
            Some(ApiEvent::RoomClosed(_)) => {
                state.rooms = None;
                state.speakers.forget(room);
            }
            _ => state.speakers.changed(room, entry.event.revision),
        }
        state.log.push(entry);
        drop(state);
        self.changed.send_replace(());
        self.heard.send_replace(());
    }

    /// Events are missing: everybody has to begin anew.
    pub(super) fn reset(&self) {
        let mut state = self.state();
        *state = State {
            log: Log::new(state.log.revision() + 1, self.capacity),
            speakers: Speakers {
                reports: state.speakers.reports,
                ..Speakers::default()
            },
            rooms: None,
        };
        drop(state);
        self.changed.send_replace(());
        self.heard.send_replace(());
    }

    /// The tenant's rooms, as `list` finds them where they are not known.
    pub(super) fn rooms(&self, list: impl FnOnce() -> Vec<Arc<Room>>) -> Arc<[Arc<Room>]> {
        let mut state = self.state();
        Arc::clone(state.rooms.get_or_insert_with(|| list().into()))
    }

    /// The revision of the last event.
    pub(crate) fn revision(&self) -> u64 {
        self.state().log.revision()
    }

    /// What follows a revision, which is not in the future. If that is nothing, and the watcher wants to know
    /// who is heard: what was reported of that after the first so many reports.
    pub(crate) fn after(&self, revision: u64, reports: Option<u64>) -> Next {
        let state = self.state();
        match (state.log.after(revision), reports) {
            (After::Event(entry), _) => Next::Event(entry),
            (After::Forgotten, _) => Next::Forgotten,
            (After::Nothing, Some(reports)) => state.speakers.after(reports),
            (After::Nothing, None) => Next::Nothing,
        }
    }

    /// Wakes whenever there may be something new; new reports of who is heard included or not.
    pub(crate) fn changes(&self, with_speakers: bool) -> watch::Receiver<()> {
        match with_speakers {
            true => self.heard.subscribe(),
            false => self.changed.subscribe(),
        }
    }
}

impl Speakers {
    fn report(&mut self, entry: Entry) {
        self.reports += 1;
        let before = self.of_room.insert(entry.room.clone(), self.reports);
        if let Some(before) = before {
            self.newest.remove(&before);
        }
        let revision = entry.event.revision;
        self.newest.insert(self.reports, Report { entry, revision });
    }

    /// The room is at another revision: who talks does not change it, so the report has that one, too.
    fn changed(&mut self, room: &RoomId, revision: u64) {
        let report = self.of_room.get(room);
        if let Some(report) = report.and_then(|number| self.newest.get_mut(number)) {
            report.revision = revision;
        }
    }

    fn after(&self, reports: u64) -> Next {
        let Some((number, report)) = self.newest.range(reports + 1..).next() else {
            return Next::Nothing;
        };
        Next::Heard(*number, report.revision, report.entry.clone())
    }

    fn forget(&mut self, room: &RoomId) {
        if let Some(report) = self.of_room.remove(room) {
            self.newest.remove(&report);
        }
    }
}
