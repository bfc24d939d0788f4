//! One room of the mirror: its state as the API shows it, and where each watcher stands.

mod speakers;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prost_types::Timestamp;
use stoa_api::v1::{
    self, ConnectionState, Participant, WatchResponse, watch_response::Event as ApiEvent,
};
use stoa_core::{
    ParticipantId, ParticipantInfo, RoomEventKind, RoomId, RoomSettings, RoomSnapshot, SessionId,
};
use tokio::sync::watch;

use super::log::{After, Log};
use crate::convert;

/// A room, from its creation to its end. Watchers hold on to it, so that they see its end.
#[derive(Debug)]
pub(crate) struct Room {
    id: RoomId,
    created: Timestamp,
    state: Mutex<State>,
    /// Wakes the watchers.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    revision: u64,
    settings: RoomSettings,
    participants: BTreeMap<ParticipantId, Participant>,
    log: Log,
    /// Who is heard now, and how often that was told: only the latest counts.
    speakers: Option<Arc<WatchResponse>>,
    speaker_reports: u64,
    /// The last event, once there is one.
    closed: Option<Arc<WatchResponse>>,
    /// The snapshot of this revision, made when the first watcher wants it: a big room's is costly.
    snapshot: Option<Arc<WatchResponse>>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// The mirror shows it.
    Done,
    /// The mirror showed it before: a snapshot was faster.
    Stale,
    /// Events before it are missing.
    Gap,
}

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
    /// A room as it is in a snapshot; a new one is an empty snapshot of revision 1.
    pub(crate) fn new(snapshot: &RoomSnapshot, now: Timestamp, log_capacity: usize) -> Self {
        let joined =
            |info: &ParticipantInfo| (info.participant.clone(), convert::participant(info, now));
        let state = State {
            revision: snapshot.revision.0,
            settings: snapshot.settings.clone(),
            participants: snapshot.participants.iter().map(joined).collect(),
            log: Log::new(snapshot.revision.0, log_capacity),
            speakers: None,
            speaker_reports: 0,
            closed: None,
            snapshot: None,
        };
        let changed = watch::Sender::new(());
        Self {
            id: snapshot.room.clone(),
            created: now,
            state: Mutex::new(state),
            changed,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn id(&self) -> &RoomId {
        &self.id
    }

    pub(crate) fn revision(&self) -> u64 {
        self.state().revision
    }

    pub(crate) fn participant_count(&self) -> usize {
        self.state().participants.len()
    }

    /// Whether exactly these sessions are in the room.
    pub(crate) fn has_sessions_of(&self, snapshot: &RoomSnapshot) -> bool {
        let state = self.state();
        let here = state.participants.values().map(|p| p.session_id.as_str());
        here.eq(snapshot.participants.iter().map(|p| p.session.as_str()))
    }

    /// The participant, if this is their session.
    pub(crate) fn participant(
        &self,
        participant: &ParticipantId,
        session: &SessionId,
    ) -> Option<Participant> {
        let state = self.state();
        let found = state.participants.get(participant)?;
        (found.session_id == session.as_str()).then(|| found.clone())
    }

    /// The room as the API shows it, with or without its participants.
    pub(crate) fn show(&self, with_participants: bool) -> v1::Room {
        self.show_state(&self.state(), with_participants)
    }

    fn show_state(&self, state: &State, with_participants: bool) -> v1::Room {
        v1::Room {
            room_id: self.id.to_string(),
            revision: state.revision,
            create_time: Some(self.created),
            participant_count: convert::count(state.participants.len()),
            participants: match with_participants {
                true => state.participants.values().cloned().collect(),
                false => Vec::new(),
            },
            ..convert::settings(&state.settings)
        }
    }

    /// Takes one event of this room.
    pub(crate) fn apply(&self, revision: u64, kind: RoomEventKind, now: Timestamp) -> Applied {
        let applied = self.state().apply(self, revision, kind, now);
        if applied == Applied::Done {
            self.changed.send_replace(());
        }
        applied
    }

    /// Replaces everything by a later snapshot of the same room.
    pub(crate) fn replace(&self, snapshot: &RoomSnapshot, now: Timestamp, log_capacity: usize) {
        let mut state = self.state();
        let mut before = std::mem::take(&mut state.participants);
        for info in &snapshot.participants {
            let known = before.remove(&info.participant);
            let known = known.filter(|known| known.session_id == info.session.as_str());
            let joined = known.and_then(|known| known.join_time).unwrap_or(now);
            let shown = convert::participant(info, joined);
            state.participants.insert(info.participant.clone(), shown);
        }
        state.revision = snapshot.revision.0;
        state.settings = snapshot.settings.clone();
        state.log = Log::new(snapshot.revision.0, log_capacity);
        state.speakers = None;
        state.snapshot = None;
        drop(state);
        self.changed.send_replace(());
    }

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
            (After::Event(event), _) => event,
            // Whatever was missed ended with the room.
            (_, Some(closed)) => match cursor.revision {
                Some(known) if known >= closed.revision => return Step::End,
                _ => Arc::clone(closed),
            },
            (After::Forgotten, None) => self.snapshot(&mut state, now),
            (After::Nothing, None) => return state.speakers_for(cursor),
        };
        cursor.revision = Some(next.revision);
        Step::Send(next)
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
    fn apply(
        &mut self,
        room: &Room,
        revision: u64,
        kind: RoomEventKind,
        now: Timestamp,
    ) -> Applied {
        if let RoomEventKind::ActiveSpeakers(speakers) = kind {
            return self.hear(revision, speakers, now);
        }
        if revision <= self.revision || self.closed.is_some() {
            return Applied::Stale;
        }
        if revision > self.revision + 1 {
            return Applied::Gap;
        }
        self.revision = revision;
        self.snapshot = None;
        let event = self.change(room, kind, now);
        let event = Arc::new(response(revision, now, event));
        if matches!(event.event, Some(ApiEvent::RoomClosed(_))) {
            self.closed = Some(Arc::clone(&event));
        }
        self.log.push(event);
        Applied::Done
    }

    /// Shows somebody who is in as they are now.
    fn put(&mut self, info: ParticipantInfo, now: Timestamp) -> Participant {
        let known = self.participants.get(&info.participant);
        let joined = known.and_then(|known| known.join_time).unwrap_or(now);
        let participant = convert::participant(&info, joined);
        self.participants
            .insert(info.participant, participant.clone());
        participant
    }

    fn change(&mut self, room: &Room, kind: RoomEventKind, now: Timestamp) -> ApiEvent {
        match kind {
            RoomEventKind::Joined(info) => {
                let participant = convert::participant(&info, now);
                self.participants
                    .insert(info.participant, participant.clone());
                ApiEvent::ParticipantJoined(v1::ParticipantJoined {
                    participant: Some(participant),
                })
            }
            RoomEventKind::Connected { participant } => {
                let known = self.participants.get_mut(&participant);
                let known = known.map(|known| {
                    known.set_state(ConnectionState::Connected);
                    known.clone()
                });
                ApiEvent::ParticipantConnected(v1::ParticipantConnected { participant: known })
            }
            RoomEventKind::Left {
                participant,
                session,
                reason,
            } => {
                self.participants.remove(&participant);
                ApiEvent::ParticipantLeft(v1::ParticipantLeft {
                    participant_id: participant.to_string(),
                    session_id: session.to_string(),
                    reason: convert::leave_reason(reason).into(),
                    return_advice: convert::return_advice(reason).into(),
                })
            }
            RoomEventKind::Closed => {
                self.participants.clear();
                ApiEvent::RoomClosed(v1::RoomClosed {
                    reason: v1::RoomCloseReason::Closed.into(),
                })
            }
            RoomEventKind::Updated(info) => {
                let known = self.participants.get(&info.participant).cloned();
                let participant = self.put(info, now);
                let changed = known.map(|known| convert::changed_participant(&known, &participant));
                ApiEvent::ParticipantUpdated(v1::ParticipantUpdated {
                    participant: Some(participant),
                    changed,
                })
            }
            RoomEventKind::Reconnecting(info) => {
                ApiEvent::ParticipantReconnecting(v1::ParticipantReconnecting {
                    participant: Some(self.put(info, now)),
                })
            }
            RoomEventKind::Resumed(info) => ApiEvent::ParticipantResumed(v1::ParticipantResumed {
                participant: Some(self.put(info, now)),
            }),
            RoomEventKind::RoomUpdated(settings) => {
                let changed = convert::changed_settings(&self.settings, &settings);
                self.settings = settings;
                ApiEvent::RoomUpdated(v1::RoomUpdated {
                    room: Some(room.show_state(self, false)),
                    changed: Some(changed),
                })
            }
            // The first has revision 1 and the second none of its own: neither comes this far.
            RoomEventKind::Created(_) | RoomEventKind::ActiveSpeakers(_) => {
                ApiEvent::Bookmark(v1::Bookmark {})
            }
        }
    }
}

fn response(revision: u64, now: Timestamp, event: ApiEvent) -> WatchResponse {
    WatchResponse {
        revision,
        time: Some(now),
        event: Some(event),
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

#[cfg(test)]
mod tests;
