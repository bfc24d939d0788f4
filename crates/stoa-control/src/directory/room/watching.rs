//! Where each watcher of a room stands, and what comes next for it.

use std::sync::Arc;

use prost_types::Timestamp;
use stoa_api::v1::{self, WatchResponse, watch_response::Event as ApiEvent};
use tokio::sync::watch;

use super::{After, Room, State, response};

/// What a watcher has seen.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    /// The revision it knows; `None` if it knows nothing.
    revision: Option<u64>,
    speaker_reports: u64,
}

/// What a watcher gets next.
#[derive(Debug)]
pub(crate) enum Step {
    /// This.
    Send(Arc<WatchResponse>),
    /// This snapshot, since it has fallen behind what is held.
    Anew(Arc<WatchResponse>),
    /// Nothing, until the room changes.
    Wait,
    /// Nothing ever.
    End,
}

/// Why a watch cannot begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CannotWatch {
    /// The room was closed in this moment.
    Closed,
    /// The caller knows a revision that is yet to come; this is the room's.
    InFuture(u64),
}

impl Room {
    /// Begins a watch that knows the room up to `from` (0: not at all), with its first message.
    pub(crate) fn watch(
        &self,
        from: u64,
        now: Timestamp,
    ) -> Result<(Arc<WatchResponse>, Cursor), CannotWatch> {
        let mut state = self.state();
        if state.closed.is_some() {
            return Err(CannotWatch::Closed);
        }
        if from > state.revision {
            return Err(CannotWatch::InFuture(state.revision));
        }
        let mut cursor = Cursor {
            revision: None,
            speaker_reports: 0,
        };
        let held = from > 0 && state.log.after(from) != After::Forgotten;
        let first = match held {
            true => Arc::new(bookmark(from, now)),
            false => self.snapshot(&mut state, now),
        };
        cursor.revision = Some(first.revision);
        Ok((first, cursor))
    }

    /// What follows for a watcher, and moves its cursor behind that.
    pub(crate) fn step(&self, cursor: &mut Cursor, now: Timestamp) -> Step {
        let mut state = self.state();
        let after = cursor
            .revision
            .map_or(After::Forgotten, |known| state.log.after(known));
        let next = match (after, &state.closed) {
            (After::Event(event), _) => Step::Send(event),
            // Whatever was missed ended with the room.
            (_, Some(closed)) => match cursor.revision {
                Some(known) if known >= closed.revision => return Step::End,
                _ => Step::Send(Arc::clone(closed)),
            },
            (After::Forgotten, None) => Step::Anew(self.snapshot(&mut state, now)),
            (After::Nothing, None) => return state.speakers_for(cursor),
        };
        if let Step::Send(message) | Step::Anew(message) = &next {
            cursor.revision = Some(message.revision);
        }
        if let Step::Anew(_) = &next {
            // Who is heard is told anew, too.
            cursor.speaker_reports = 0;
        }
        next
    }

    /// A snapshot of the room as it is now; if it is closed, its end.
    pub(crate) fn portrait(
        &self,
        now: Timestamp,
    ) -> Result<Arc<WatchResponse>, Arc<WatchResponse>> {
        let mut state = self.state();
        match &state.closed {
            Some(closed) => Err(Arc::clone(closed)),
            None => Ok(self.snapshot(&mut state, now)),
        }
    }

    fn snapshot(&self, state: &mut State, now: Timestamp) -> Arc<WatchResponse> {
        if let Some(snapshot) = &state.snapshot {
            return Arc::clone(snapshot);
        }
        let event = ApiEvent::Snapshot(self.show_state(state, true));
        let snapshot = Arc::new(response(state.revision, now, event));
        state.snapshot = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Wakes whenever there may be something new.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

impl State {
    /// The speakers for a watcher that has seen everything else.
    fn speakers_for(&mut self, cursor: &mut Cursor) -> Step {
        match &mut self.speakers {
            Some(speakers) if cursor.speaker_reports < self.speaker_reports => {
                cursor.speaker_reports = self.speaker_reports;
                if speakers.revision != self.revision {
                    // Who talks does not change the room: for all who have seen everything else it is where
                    // it is now.
                    Arc::make_mut(speakers).revision = self.revision;
                }
                Step::Send(Arc::clone(speakers))
            }
            _ => Step::Wait,
        }
    }
}

/// Nothing new up to this revision.
pub(crate) fn bookmark(revision: u64, now: Timestamp) -> WatchResponse {
    response(revision, now, ApiEvent::Bookmark(v1::Bookmark {}))
}

impl Cursor {
    /// The revision the watcher knows; 0 if it knows nothing.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.unwrap_or(0)
    }
}
