//! Who is in a room, put together from two sources that do not wait for each other: the room's event
//! stream, and the answers to Join calls, which may be ahead of it. A pure data structure; it says
//! what browsers have to be told.

use std::collections::BTreeMap;

use stoa_client::v1::{
    ActiveSpeakers, ConnectionQuality, ConnectionState, LeaveReason, NodeState, NodeUpdated,
    Participant, Room, WatchResponse, watch_response::Event,
};

use crate::{
    protocol::{Person, Speaker},
    role::Role,
    store::people::metadata,
};

/// What a change to the roster means for the browsers in the room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Somebody is here.
    Joined(Person),
    /// Something about somebody is different now.
    Updated(Person),
    /// Somebody is gone.
    Left {
        /// Who.
        id: String,
        /// Which of their media sessions.
        session_id: String,
        /// Why.
        reason: &'static str,
    },
    /// Who is heard now, and the id of who leads the conversation.
    Speaking(Vec<Speaker>, Option<String>),
    /// Whether the media server is about to restart, and when, has changed.
    Restart(Option<Restart>),
    /// The room is gone.
    RoomClosed,
}

/// The media server is about to restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restart {
    /// When, in milliseconds since 1970, if it is known.
    pub(crate) at: Option<u64>,
}

/// Whether a participant whom Stoa has just admitted is still in the room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// They are, and nobody has been told yet.
    New(Person),
    /// They are, and the event stream has told everybody already.
    Known,
    /// They have come and gone.
    Gone,
}

/// The participants of one room.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    revision: u64,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    session_id: String,
    person: Person,
    /// The room's revision at which they came, where it is known: a snapshot that is older says
    /// nothing about them.
    since: u64,
}

impl Roster {
    /// Takes in one message of the event stream.
    pub(crate) fn apply(&mut self, message: WatchResponse) -> Vec<Change> {
        let revision = message.revision;
        let changes = match message.event {
            Some(Event::Snapshot(room)) => self.replace(room, revision),
            Some(Event::ParticipantJoined(e)) => self.upsert(e.participant, revision),
            Some(Event::ParticipantConnected(e)) => self.upsert(e.participant, revision),
            Some(Event::ParticipantUpdated(e)) => self.upsert(e.participant, revision),
            Some(Event::ParticipantReconnecting(e)) => self.upsert(e.participant, revision),
            Some(Event::ParticipantResumed(e)) => self.upsert(e.participant, revision),
            Some(Event::ParticipantLeft(e)) => {
                let reason = leave_reason(e.reason);
                self.remove(&e.participant_id, &e.session_id, reason)
                    .into_iter()
                    .collect()
            }
            Some(Event::ActiveSpeakers(e)) => vec![self.speaking(e)],
            Some(Event::RoomClosed(_)) => vec![Change::RoomClosed],
            Some(Event::NodeUpdated(e)) => vec![Change::Restart(restart(&e))],
            // The room's settings are this service's own, and the page shows none of them.
            Some(Event::RoomUpdated(_) | Event::RoomCreated(_) | Event::Bookmark(_)) | None => {
                Vec::new()
            }
        };
        self.revision = self.revision.max(revision);
        changes
    }

    /// Takes in the answer to a Join call.
    pub(crate) fn admit(&mut self, participant: &Participant, revision: u64) -> Admission {
        match self.entries.get(&participant.participant_id) {
            Some(entry) if entry.session_id == participant.session_id => Admission::Known,
            _ if self.revision >= revision => Admission::Gone,
            _ => Admission::New(self.insert(participant, revision)),
        }
    }

    /// Everybody, in the order of their ids.
    pub(crate) fn people(&self) -> impl Iterator<Item = &Person> {
        self.entries.values().map(|e| &e.person)
    }

    /// Everybody's id and media session.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(id, entry)| (id.as_str(), entry.session_id.as_str()))
    }

    fn insert(&mut self, participant: &Participant, revision: u64) -> Person {
        let person = person(participant);
        let session_id = participant.session_id.clone();
        let entry = Entry {
            session_id,
            person: person.clone(),
            since: revision,
        };
        self.entries.insert(person.id.clone(), entry);
        person
    }

    fn upsert(&mut self, participant: Option<Participant>, revision: u64) -> Vec<Change> {
        let Some(participant) = participant else {
            return Vec::new();
        };
        let id = &participant.participant_id;
        let mut changes = Vec::new();
        if let Some(entry) = self.entries.get_mut(id) {
            if entry.session_id == participant.session_id {
                let now = person(&participant);
                if entry.person != now {
                    entry.person = now.clone();
                    changes.push(Change::Updated(now));
                }
                return changes;
            }
            // The same id with another session: the event of their leaving was not seen.
            changes.push(left(id, &entry.session_id, "unknown"));
        }
        changes.push(Change::Joined(self.insert(&participant, revision)));
        changes
    }

    fn remove(&mut self, id: &str, session: &str, reason: &'static str) -> Option<Change> {
        if self.entries.get(id)?.session_id != session {
            return None;
        }
        self.entries.remove(id);
        Some(left(id, session, reason))
    }

    fn replace(&mut self, room: Room, revision: u64) -> Vec<Change> {
        let missing = |id: &str, entry: &Entry| {
            entry.since <= revision && !room.participants.iter().any(|p| p.participant_id == id)
        };
        let gone: Vec<String> = self
            .entries
            .iter()
            .filter(|(id, entry)| missing(id, entry))
            .map(|(id, _)| id.clone())
            .collect();
        let mut changes = Vec::new();
        for id in gone {
            if let Some(entry) = self.entries.remove(&id) {
                changes.push(left(&id, &entry.session_id, "unknown"));
            }
        }
        for participant in room.participants {
            changes.extend(self.upsert(Some(participant), revision));
        }
        changes
    }

    fn speaking(&self, event: ActiveSpeakers) -> Change {
        // Nobody is told about somebody whom they have not been introduced to.
        let known = |id: &String| self.entries.contains_key(id);
        let speakers = event.speakers.into_iter().map(|s| Speaker {
            id: s.participant_id,
            level_dbov: s.level_dbov,
        });
        let dominant = Some(event.dominant_participant_id).filter(known);
        Change::Speaking(speakers.filter(|s| known(&s.id)).collect(), dominant)
    }
}

fn left(id: &str, session_id: &str, reason: &'static str) -> Change {
    Change::Left {
        id: id.to_owned(),
        session_id: session_id.to_owned(),
        reason,
    }
}

fn person(participant: &Participant) -> Person {
    let noted = |key: &str| participant.metadata.get(key);
    Person {
        id: participant.participant_id.clone(),
        name: participant.display_name.clone(),
        csrc: participant.csrc,
        connected: participant.state() == ConnectionState::Connected,
        role: Role::of_stoa(participant.role()),
        creator: noted(metadata::CREATOR).is_some(),
        muted: participant.muted_by_participant,
        muted_by_moderator: participant.muted_by_moderator,
        hand_raised_at: noted(metadata::HAND).and_then(|at| at.parse().ok()),
        invited: noted(metadata::INVITED).is_some(),
        quality: quality(participant.connection_quality()),
        level_distrusted: participant.level_distrusted,
    }
}

fn quality(quality: ConnectionQuality) -> Option<&'static str> {
    match quality {
        ConnectionQuality::Unspecified => None,
        ConnectionQuality::Good => Some("good"),
        ConnectionQuality::Fair => Some("fair"),
        ConnectionQuality::Poor => Some("poor"),
    }
}

/// What follows of a node's standing.
fn restart(node: &NodeUpdated) -> Option<Restart> {
    let at = |time: &prost_types::Timestamp| {
        let seconds = u64::try_from(time.seconds).ok()?;
        seconds.checked_mul(1000)
    };
    (node.state() == NodeState::Draining).then(|| Restart {
        at: node.drain_deadline.as_ref().and_then(at),
    })
}

fn leave_reason(reason: i32) -> &'static str {
    match LeaveReason::try_from(reason) {
        Ok(LeaveReason::Removed) => "removed",
        Ok(LeaveReason::RoomClosed) => "room_closed",
        Ok(LeaveReason::IceTimeout) => "ice_timeout",
        Ok(LeaveReason::ConnectTimeout) => "connect_timeout",
        Ok(LeaveReason::ClientClosed) => "client_closed",
        Ok(LeaveReason::MediaError) => "media_error",
        Ok(LeaveReason::InternalFault) => "internal_fault",
        Ok(LeaveReason::NodeShutdown) => "node_shutdown",
        Ok(LeaveReason::Banned) => "banned",
        Ok(LeaveReason::Unspecified) | Err(_) => "unknown",
    }
}

#[cfg(test)]
mod tests;
