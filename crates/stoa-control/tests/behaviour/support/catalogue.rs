//! All methods that there are, and what each can be asked.

use prost::Message as _;
use prost_types::{FieldMask, FileDescriptorSet};
use stoa_api::v1::*;

use super::join_request;

/// What a request names.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    pub room: &'a str,
    pub participant: &'a str,
    pub session: &'a str,
    pub resume_token: &'a str,
}

/// What of it can be another tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Nothing: the method makes something, or shows what is one's own; the other tests here are for those.
    Nothing,
    Room,
    Participant,
    ResumeToken,
    Ban,
}

/// What a method is asked, in every form of it, and what of that could be another tenant's.
pub fn requests(method: &str, names: Names<'_>) -> Vec<(Named, Vec<u8>)> {
    let (room_id, participant_id) = (names.room.to_owned(), names.participant.to_owned());
    let session_id = names.session.to_owned();
    let participant = |message: Vec<u8>| vec![(Named::Participant, message)];
    match method {
        "Rooms/CreateRoom" | "Rooms/ListRooms" | "Rooms/WatchRooms" | "Bans/CreateBan"
        | "Bans/ListBans" | "Node/GetStatus" => vec![(Named::Nothing, Vec::new())],
        "Rooms/GetRoom" => vec![(Named::Room, GetRoomRequest { room_id }.encode_to_vec())],
        "Rooms/CloseRoom" => vec![(Named::Room, CloseRoomRequest { room_id }.encode_to_vec())],
        "Rooms/Watch" => [0, 1, 1 << 52]
            .map(|from_revision| WatchRequest {
                room_id: room_id.clone(),
                from_revision,
            })
            .map(|request| (Named::Room, request.encode_to_vec()))
            .to_vec(),
        "Rooms/UpdateRoom" => {
            let request = UpdateRoomRequest {
                room: Some(Room {
                    room_id,
                    audio_slots: 2,
                    ..Default::default()
                }),
                update_mask: mask("audio_slots"),
            };
            vec![(Named::Room, request.encode_to_vec())]
        }
        "Rooms/Join" => {
            let fresh = join_request(names.room, names.participant);
            let again = JoinRequest {
                resume_token: names.resume_token.into(),
                ..fresh.clone()
            };
            vec![
                (Named::Room, fresh.encode_to_vec()),
                (Named::ResumeToken, again.encode_to_vec()),
            ]
        }
        "Rooms/Renegotiate" => participant(
            RenegotiateRequest {
                room_id,
                participant_id,
                session_id,
                sdp_offer: "good".into(),
            }
            .encode_to_vec(),
        ),
        "Rooms/AddIceCandidate" => participant(
            AddIceCandidateRequest {
                room_id,
                participant_id,
                session_id,
                candidate: String::new(),
            }
            .encode_to_vec(),
        ),
        "Rooms/SetRole" => participant(
            SetRoleRequest {
                room_id,
                participant_id,
                session_id,
                role: Role::Moderator.into(),
            }
            .encode_to_vec(),
        ),
        "Rooms/SetMuted" => participant(
            SetMutedRequest {
                room_id,
                participant_id,
                session_id,
                source: MuteSource::Moderator.into(),
                muted: true,
            }
            .encode_to_vec(),
        ),
        "Rooms/UpdateParticipant" => participant(
            UpdateParticipantRequest {
                room_id,
                participant: Some(Participant {
                    participant_id,
                    session_id,
                    display_name: "changed".into(),
                    ..Default::default()
                }),
                update_mask: mask("display_name"),
            }
            .encode_to_vec(),
        ),
        "Rooms/UpdateSubscriptions" => participant(
            UpdateSubscriptionsRequest {
                room_id,
                participant_id,
                session_id,
                subscription: None,
            }
            .encode_to_vec(),
        ),
        "Rooms/RemoveParticipant" => participant(
            RemoveParticipantRequest {
                room_id,
                participant_id,
                session_id,
            }
            .encode_to_vec(),
        ),
        "Bans/DeleteBan" => {
            let request = DeleteBanRequest {
                room_id,
                participant_id,
            };
            vec![(Named::Ban, request.encode_to_vec())]
        }
        other => panic!("{other} is new: say here what of it could be another tenant's"),
    }
}

fn mask(path: &str) -> Option<FieldMask> {
    Some(FieldMask {
        paths: vec![path.to_owned()],
    })
}

/// All methods, as `Service/Method`.
pub fn methods() -> Vec<String> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("it is compiled in");
    let files = set.file.iter();
    let own = files.filter(|file| file.package() == "stoa.control.v1");
    let services = own.flat_map(|file| &file.service);
    let methods = services.flat_map(|service| {
        let methods = service.method.iter();
        methods.map(|method| format!("{}/{}", service.name(), method.name()))
    });
    methods.collect()
}
