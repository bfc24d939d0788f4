//! The rooms that are shown, by the control API.

use std::cmp::Reverse;

use serde::Serialize;
use stoa_client::{
    Client,
    v1::{GetRoomRequest, ListRoomsRequest, Participant, Role, Room},
};
use tonic::{Code, Status};

/// How many rooms are shown, and out of how many the largest are chosen.
const ROOMS_SHOWN: usize = 12;
const PAGE: i32 = 1_000;

/// A room, and how many are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RoomRow {
    pub(super) room: String,
    pub(super) listeners: usize,
    pub(super) speakers: usize,
    pub(super) moderators: usize,
    /// By a moderator or by themselves.
    pub(super) muted: usize,
}

/// The largest rooms of the first thousand.
pub(super) async fn largest(client: &Client) -> Result<Vec<RoomRow>, Status> {
    let request = ListRoomsRequest {
        page_size: PAGE,
        ..ListRoomsRequest::default()
    };
    let rooms = client.rooms().list_rooms(request).await?.into_inner().rooms;
    let mut rows = Vec::new();
    for room_id in names_of_largest(rooms) {
        match client.rooms().get_room(GetRoomRequest { room_id }).await {
            Ok(room) => rows.push(RoomRow::of(&room.into_inner())),
            // It has been closed meanwhile.
            Err(status) if status.code() == Code::NotFound => {}
            Err(status) => return Err(status),
        }
    }
    Ok(rows)
}

/// Of rooms of one size the first ones, in their order.
fn names_of_largest(mut rooms: Vec<Room>) -> impl Iterator<Item = String> {
    rooms.sort_by_key(|room| Reverse(room.participant_count));
    rooms.into_iter().take(ROOMS_SHOWN).map(|room| room.room_id)
}

impl RoomRow {
    fn of(room: &Room) -> Self {
        let count = |is: &dyn Fn(&Participant) -> bool| {
            room.participants.iter().filter(|one| is(one)).count()
        };
        Self {
            room: room.room_id.clone(),
            listeners: count(&|one| one.role() == Role::Listener),
            speakers: count(&|one| one.role() == Role::Speaker),
            moderators: count(&|one| one.role() == Role::Moderator),
            muted: count(&|one| one.muted_by_moderator || one.muted_by_participant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_come_first_and_no_more_than_are_shown() {
        let summary = |number: u32| Room {
            room_id: format!("room-{number}"),
            participant_count: number % 20,
            ..Room::default()
        };
        let names: Vec<String> = names_of_largest((0..40).map(summary).collect()).collect();
        assert_eq!(names.len(), ROOMS_SHOWN);
        // 19 and 39 have 19 participants each, 18 and 38 have 18.
        assert_eq!(names[..4], ["room-19", "room-39", "room-18", "room-38"]);
    }

    #[test]
    fn people_are_counted_by_role_and_whoever_muted_them() {
        let person = |role: Role, by_moderator, by_participant| Participant {
            role: role.into(),
            muted_by_moderator: by_moderator,
            muted_by_participant: by_participant,
            ..Participant::default()
        };
        let room = Room {
            room_id: "hall".to_owned(),
            participants: vec![
                person(Role::Listener, false, false),
                person(Role::Listener, false, false),
                person(Role::Listener, false, false),
                person(Role::Speaker, true, false),
                person(Role::Speaker, true, true),
                person(Role::Moderator, false, true),
            ],
            ..Room::default()
        };
        let expected = RoomRow {
            room: "hall".to_owned(),
            listeners: 3,
            speakers: 2,
            moderators: 1,
            muted: 3,
        };
        assert_eq!(RoomRow::of(&room), expected);
    }
}
