//! What somebody knows of rooms who has seen nothing but a watch's messages, and whether that can be.

use std::collections::BTreeMap;

use stoa_api::v1::{watch_response::Event, watch_rooms_response::Event as RoomsEvent, *};
use stoa_core::{RoomEvent as CoreEvent, RoomEventKind};

/// The rooms as they were told, and every numbered event.
#[derive(Default)]
pub struct Known {
    pub rooms: BTreeMap<String, Room>,
    /// In which room, and what.
    pub seen: Vec<(String, &'static str)>,
    /// What to continue a watch of all rooms from.
    pub from: u64,
    /// How often a snapshot of all rooms has begun.
    pub begun: usize,
    is_in_snapshot: bool,
}

impl Known {
    /// Takes a message of a watch of one room.
    #[track_caller]
    pub fn take(&mut self, room_id: &str, message: WatchResponse) {
        let WatchResponse {
            revision, event, ..
        } = message;
        let event = event.expect("there is something in it");
        match event {
            Event::Snapshot(room) => {
                assert_eq!(room.revision, revision);
                self.rooms.insert(room_id.to_owned(), room);
                return;
            }
            Event::RoomCreated(created) => {
                let room = created.room.expect("there is one");
                assert_eq!((room.revision, room.room_id.as_str()), (revision, room_id));
                let before = self.rooms.insert(room_id.to_owned(), room);
                assert_eq!(before, None, "a room is created twice");
                self.seen.push((room_id.to_owned(), "created"));
                return;
            }
            Event::Bookmark(_) | Event::ActiveSpeakers(_) | Event::NodeUpdated(_) => {
                assert_eq!(
                    revision, self.rooms[room_id].revision,
                    "{room_id}: {event:?}"
                );
                return;
            }
            _ => {}
        }
        let room = self.rooms.get_mut(room_id).expect("it is known");
        assert_eq!(revision, room.revision + 1, "{room_id}: {event:?}");
        room.revision = revision;
        let what = change(room, event);
        if what == "closed" {
            self.rooms.remove(room_id);
        }
        self.seen.push((room_id.to_owned(), what));
    }

    /// Takes a message of a watch of all rooms.
    #[track_caller]
    pub fn take_all(&mut self, message: WatchRoomsResponse) {
        let revision = message.revision;
        match message.event.expect("there is something in it") {
            RoomsEvent::SnapshotBegin(_) => {
                self.rooms.clear();
                self.begun += 1;
                self.is_in_snapshot = true;
            }
            RoomsEvent::SnapshotRoom(room) => {
                assert!(self.is_in_snapshot);
                let before = self.rooms.insert(room.room_id.clone(), room);
                assert_eq!(before, None, "a room is shown twice");
            }
            RoomsEvent::SnapshotEnd(_) => self.is_in_snapshot = false,
            RoomsEvent::Bookmark(_) | RoomsEvent::NodeUpdated(_) => assert_eq!(revision, self.from),
            RoomsEvent::RoomEvent(RoomEvent { room_id, event }) => {
                let event = event.expect("there is one");
                let is_numbered = !matches!(event.event, Some(Event::ActiveSpeakers(_)));
                self.take(&room_id, event);
                if !self.is_in_snapshot {
                    assert_eq!(revision, self.from + u64::from(is_numbered));
                }
            }
        }
        self.from = match self.is_in_snapshot {
            true => 0,
            false => revision,
        };
    }

    /// Whether everything is known up to these rooms, with their participants.
    pub fn is_up_to(&self, rooms: &[Room]) -> bool {
        let now = rooms.iter().map(|room| (&room.room_id, room.revision));
        now.eq(self.rooms.iter().map(|(id, room)| (id, room.revision)))
    }
}

/// Changes a room as an event says.
fn change(room: &mut Room, event: Event) -> &'static str {
    let mut put = |participant: Option<Participant>, is_new: bool| {
        let participant = participant.expect("there is one");
        let id = participant.participant_id.clone();
        let here = room
            .participants
            .iter()
            .position(|p| p.participant_id == id);
        assert_eq!(here.is_none(), is_new, "{id}");
        match here {
            Some(at) => room.participants[at] = participant,
            None => room.participants.push(participant),
        }
        room.participants
            .sort_by(|a, b| a.participant_id.cmp(&b.participant_id));
        room.participant_count = room.participants.len() as u32;
    };
    match event {
        Event::ParticipantJoined(joined) => {
            put(joined.participant, true);
            "joined"
        }
        Event::ParticipantConnected(connected) => {
            put(connected.participant, false);
            "connected"
        }
        Event::ParticipantUpdated(updated) => {
            put(updated.participant, false);
            "updated"
        }
        Event::ParticipantLeft(left) => {
            let before = room.participants.len();
            room.participants
                .retain(|p| p.session_id != left.session_id);
            assert_eq!(room.participants.len(), before - 1);
            room.participant_count -= 1;
            "left"
        }
        Event::RoomUpdated(updated) => {
            let updated = updated.room.expect("there is one");
            let participants = std::mem::take(&mut room.participants);
            *room = Room {
                participants,
                ..updated
            };
            "room updated"
        }
        Event::RoomClosed(_) => "closed",
        other => panic!("nobody has done that: {other:?}"),
    }
}

/// The numbered events of a history, as [`Known::seen`] has them.
pub fn truth(history: &[CoreEvent]) -> Vec<(String, &'static str)> {
    let name = |event: &CoreEvent| {
        let what = match &event.kind {
            RoomEventKind::Created(_) => "created",
            RoomEventKind::Joined(_) => "joined",
            RoomEventKind::Connected { .. } => "connected",
            RoomEventKind::Updated(_) => "updated",
            RoomEventKind::Left { .. } => "left",
            RoomEventKind::RoomUpdated(_) => "room updated",
            RoomEventKind::Closed(_) => "closed",
            _ => return None,
        };
        Some((event.room.name().to_owned(), what))
    };
    history.iter().filter_map(name).collect()
}
