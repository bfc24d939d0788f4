//! Who is in a room, put together from two sources that do not wait for each other: the room's event
//! stream, and the answers to Join calls, which may be ahead of it. A pure data structure; it says
//! what browsers have to be told.

use std::collections::BTreeMap;

use stoa_client::v1::{
    ActiveSpeakers, ConnectionState, LeaveReason, Participant, Room, WatchResponse,
    watch_response::Event,
};

use crate::protocol::{Person, Speaker};

/// What a change to the roster means for the browsers in the room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Somebody is here.
    Joined(Person),
    /// Somebody's audio is up.
    Connected(String),
    /// Somebody is gone, and why.
    Left(String, &'static str),
    /// Who is heard now.
    Speaking(Vec<Speaker>),
    /// The room is gone.
    RoomClosed,
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
            Some(Event::ParticipantLeft(e)) => {
                let reason = leave_reason(e.reason);
                self.remove(&e.participant_id, &e.session_id, reason)
                    .into_iter()
                    .collect()
            }
            Some(Event::ActiveSpeakers(e)) => vec![self.speaking(e)],
            Some(Event::RoomClosed(_)) => vec![Change::RoomClosed],
            // This service gives no roles and changes no names, and the page shows none of it.
            Some(Event::ParticipantUpdated(_) | Event::RoomUpdated(_)) => Vec::new(),
            Some(Event::Bookmark(_)) | None => Vec::new(),
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

    /// Notes that somebody has switched their microphone off or on. True if that is news.
    pub(crate) fn set_muted(&mut self, id: &str, muted: bool) -> bool {
        let Some(entry) = self.entries.get_mut(id) else {
            return false;
        };
        std::mem::replace(&mut entry.person.muted, muted) != muted
    }

    /// Everybody, in the order of their ids.
    pub(crate) fn people(&self) -> impl Iterator<Item = &Person> {
        self.entries.values().map(|e| &e.person)
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
                let up = is_connected(&participant);
                if up && !std::mem::replace(&mut entry.person.connected, true) {
                    changes.push(Change::Connected(id.clone()));
                }
                return changes;
            }
            // The same id with another session: the event of their leaving was not seen.
            changes.push(Change::Left(id.clone(), "unknown"));
        }
        changes.push(Change::Joined(self.insert(&participant, revision)));
        changes
    }

    fn remove(&mut self, id: &str, session: &str, reason: &'static str) -> Option<Change> {
        if self.entries.get(id)?.session_id != session {
            return None;
        }
        self.entries.remove(id);
        Some(Change::Left(id.to_owned(), reason))
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
            self.entries.remove(&id);
            changes.push(Change::Left(id, "unknown"));
        }
        for participant in room.participants {
            changes.extend(self.upsert(Some(participant), revision));
        }
        changes
    }

    fn speaking(&self, event: ActiveSpeakers) -> Change {
        let known = event.speakers.into_iter().filter(|s| {
            // Nobody is told about somebody whom they have not been introduced to.
            self.entries.contains_key(&s.participant_id)
        });
        Change::Speaking(
            known
                .map(|s| Speaker {
                    id: s.participant_id,
                    level_dbov: s.level_dbov,
                })
                .collect(),
        )
    }
}

fn person(participant: &Participant) -> Person {
    Person {
        id: participant.participant_id.clone(),
        name: participant.display_name.clone(),
        csrc: participant.csrc,
        connected: is_connected(participant),
        muted: false,
    }
}

fn is_connected(participant: &Participant) -> bool {
    participant.state() == ConnectionState::Connected
}

fn leave_reason(reason: i32) -> &'static str {
    match LeaveReason::try_from(reason) {
        Ok(LeaveReason::Removed) => "removed",
        Ok(LeaveReason::RoomClosed) => "room_closed",
        Ok(LeaveReason::IceTimeout) => "ice_timeout",
        Ok(LeaveReason::ConnectTimeout) => "connect_timeout",
        Ok(LeaveReason::ClientClosed) => "client_closed",
        Ok(LeaveReason::MediaError) => "media_error",
        Ok(LeaveReason::NodeShutdown) => "node_shutdown",
        Ok(LeaveReason::Unspecified) | Err(_) => "unknown",
    }
}

#[cfg(test)]
mod tests;
