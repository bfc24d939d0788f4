//! One room of the mirror: its state as the API shows it.

mod watching;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use prost_types::Timestamp;
use stoa_api::v1::{
    self, ConnectionState, Participant, WatchResponse, watch_response::Event as ApiEvent,
};
use stoa_core::{
    ParticipantId, ParticipantInfo, Revision, RoomEventKind, RoomId, RoomSettings, RoomSnapshot,
    SessionId,
};
use tokio::sync::watch;

pub(crate) use watching::{CannotWatch, Cursor, Step, bookmark};

use super::{
    Headcount,
    log::{After, Log},
};
use crate::convert;

/// A room, from its creation to its end. Watchers hold on to it, so that they see its end.
#[derive(Debug)]
pub(crate) struct Room {
    id: RoomId,
    /// What the core's revisions are added to; see `bases`.
    base: u64,
    created: Timestamp,
    state: Mutex<State>,
    /// The tenant's revision that its last event has, or will have.
    told: AtomicU64,
    /// Wakes the watchers.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    revision: u64,
    settings: RoomSettings,
    participants: BTreeMap<ParticipantId, Participant>,
    log: Log<Arc<WatchResponse>>,
    /// Who is heard now, and how often that was told: only the latest counts.
    speakers: Option<Arc<WatchResponse>>,
    speaker_reports: u64,
    /// The last event, once there is one.
    closed: Option<Arc<WatchResponse>>,
    /// The snapshot of this revision, made when the first watcher wants it: a big room's is costly.
    snapshot: Option<Arc<WatchResponse>>,
}

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Applied {
    /// The mirror shows it, and watchers are told this.
    Done(Arc<WatchResponse>),
    /// The mirror showed it before: a snapshot was faster.
    Stale,
    /// Events before it are missing.
    Gap,
}

impl Room {
    /// A room as it is in a snapshot; a new one is an empty snapshot of revision 1. Its revisions are added
    /// to `base`.
    pub(crate) fn new(
        snapshot: &RoomSnapshot,
        base: u64,
        now: Timestamp,
        log_capacity: usize,
    ) -> Self {
        let revision = base + snapshot.revision.0;
        let joined =
            |info: &ParticipantInfo| (info.participant.clone(), convert::participant(info, now));
        let state = State {
            revision,
            settings: snapshot.settings.clone(),
            participants: snapshot.participants.iter().map(joined).collect(),
            log: Log::new(revision, log_capacity),
            speakers: None,
            speaker_reports: 0,
            closed: None,
            snapshot: None,
        };
        let changed = watch::Sender::new(());
        Self {
            id: snapshot.room.clone(),
            base,
            created: now,
            state: Mutex::new(state),
            told: AtomicU64::new(0),
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

    /// What the core's revisions are added to.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// The core's revision, as callers see it.
    pub(crate) fn shown(&self, revision: Revision) -> u64 {
        self.base + revision.0
    }

    /// Notes, before its next event, which revision of the tenant's that will have.
    pub(crate) fn will_tell(&self, revision: u64) {
        self.told.store(revision, Ordering::Release);
    }

    /// The tenant's revision of its last event. Of the event that a snapshot shows last, where it is asked
    /// for after the snapshot, or of a later one.
    pub(crate) fn told(&self) -> u64 {
        self.told.load(Ordering::Acquire)
    }

    pub(crate) fn participant_count(&self) -> usize {
        self.state().participants.len()
    }

    /// Counts everybody in it.
    pub(super) fn count_into(&self, headcount: &mut Headcount) {
        let state = self.state();
        let everybody = state.participants.values();
        everybody.for_each(|participant| headcount.count(participant));
    }

    /// Whether somebody of this name is in the room.
    pub(crate) fn has(&self, participant: &ParticipantId) -> bool {
        self.state().participants.contains_key(participant)
    }

    /// Whether exactly these sessions are in the room, and its settings are these.
    pub(crate) fn is_as_in(&self, snapshot: &RoomSnapshot) -> bool {
        let state = self.state();
        if state.settings != snapshot.settings {
            return false;
        }
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
            room_id: self.id.name().to_owned(),
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
    pub(crate) fn apply(&self, revision: Revision, kind: RoomEventKind, now: Timestamp) -> Applied {
        let revision = self.shown(revision);
        let applied = self.state().apply(self, revision, kind, now);
        if matches!(applied, Applied::Done(_)) {
            self.changed.send_replace(());
        }
        applied
    }

    /// That the room was created, for those who watch all rooms.
    pub(crate) fn creation(&self, now: Timestamp) -> Arc<WatchResponse> {
        let room = Some(self.show(true));
        let event = ApiEvent::RoomCreated(v1::RoomCreated { room });
        Arc::new(response(self.revision(), now, event))
    }

    /// Ends the room, of whose end nothing was told.
    pub(crate) fn is_lost(&self, now: Timestamp) {
        let mut state = self.state();
        state.participants.clear();
        state.revision += 1;
        let reason = v1::RoomCloseReason::Unspecified.into();
        state.tell(ApiEvent::RoomClosed(v1::RoomClosed { reason }), now);
        drop(state);
        self.changed.send_replace(());
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
        state.revision = self.shown(snapshot.revision);
        state.settings = snapshot.settings.clone();
        state.log = Log::new(state.revision, log_capacity);
        state.speakers = None;
        state.snapshot = None;
        drop(state);
        self.changed.send_replace(());
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
        let event = self.change(room, kind, now);
        Applied::Done(self.tell(event, now))
    }

    /// Writes down what happened last.
    fn tell(&mut self, event: ApiEvent, now: Timestamp) -> Arc<WatchResponse> {
        self.snapshot = None;
        let event = Arc::new(response(self.revision, now, event));
        if matches!(event.event, Some(ApiEvent::RoomClosed(_))) {
            self.closed = Some(Arc::clone(&event));
        }
        self.log.push(Arc::clone(&event));
        event
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

    fn hear(
        &mut self,
        revision: u64,
        speakers: stoa_core::ActiveSpeakers,
        now: Timestamp,
    ) -> Applied {
        if revision > self.revision {
            return Applied::Gap;
        }
        let event = ApiEvent::ActiveSpeakers(convert::active_speakers(speakers));
        let event = Arc::new(response(self.revision, now, event));
        self.speakers = Some(Arc::clone(&event));
        self.speaker_reports += 1;
        Applied::Done(event)
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
            RoomEventKind::Closed(reason) => {
                self.participants.clear();
                ApiEvent::RoomClosed(v1::RoomClosed {
                    reason: convert::close_reason(reason).into(),
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

pub(crate) fn response(revision: u64, now: Timestamp, event: ApiEvent) -> WatchResponse {
    WatchResponse {
        revision,
        time: Some(now),
        event: Some(event),
    }
}

#[cfg(test)]
mod tests;
