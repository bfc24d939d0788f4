//! SetRole, SetMuted, UpdateParticipant, UpdateRoom: what they change is in the answer, in every later
//! answer, and in the events of whoever watches, with the names of what is other.

use crate::support;

use crate::support::{Rig, Rooms, Wire, assert_reason, create, create_request, join, next, watch};
use stoa_api::v1::{watch_response::Event, *};
use tonic::{Code, Status};

fn mask(paths: &[&str]) -> prost_types::FieldMask {
    prost_types::FieldMask {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    }
}

async fn set_muted(rooms: &mut Rooms, source: MuteSource, muted: bool) -> u64 {
    let request = SetMutedRequest {
        room_id: "r".into(),
        participant_id: "a".into(),
        source: source.into(),
        muted,
        ..Default::default()
    };
    let answer = rooms.set_muted(request).await.expect("a mute");
    answer.into_inner().room_revision
}

async fn set_role(rooms: &mut Rooms, session_id: &str, role: Role) -> Result<u64, Status> {
    let request = SetRoleRequest {
        room_id: "r".into(),
        participant_id: "a".into(),
        session_id: session_id.into(),
        role: role.into(),
    };
    Ok(rooms.set_role(request).await?.into_inner().room_revision)
}

async fn only_participant(rooms: &mut Rooms) -> Participant {
    let request = GetRoomRequest {
        room_id: "r".into(),
    };
    let room = rooms
        .get_room(request)
        .await
        .expect("the room")
        .into_inner();
    room.participants.into_iter().next().expect("somebody")
}

support::on_both_transports!(roles_and_mutes);
async fn roles_and_mutes(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let joined = join(&mut rooms, "r", "a").await;
    let before = joined.participant.expect("there is one");
    assert_eq!(before.role(), Role::Listener, "unless it is said");
    let mut events = watch(&mut rooms, "r", joined.room_revision).await;
    next(&mut events).await;

    let revision = set_role(&mut rooms, "", Role::Speaker)
        .await
        .expect("a role");
    let promoted = Participant {
        role: Role::Speaker.into(),
        ..before
    };
    assert_eq!(
        only_participant(&mut rooms).await,
        promoted,
        "its own write"
    );
    let event = next(&mut events).await;
    let expected = ParticipantUpdated {
        participant: Some(promoted.clone()),
        changed: Some(mask(&["role"])),
    };
    assert_eq!(
        (event.revision, event.event),
        (revision, Some(Event::ParticipantUpdated(expected)))
    );

    for (source, path) in [
        (MuteSource::Moderator, "muted_by_moderator"),
        (MuteSource::Participant, "muted_by_participant"),
    ] {
        let revision = set_muted(&mut rooms, source, true).await;
        let event = next(&mut events).await;
        assert_eq!(event.revision, revision);
        let Some(Event::ParticipantUpdated(updated)) = event.event else {
            panic!("{event:?}")
        };
        assert_eq!(updated.changed, Some(mask(&[path])));
    }
    set_muted(&mut rooms, MuteSource::Participant, false).await;
    let shown = only_participant(&mut rooms).await;
    assert!(
        shown.muted_by_moderator && !shown.muted_by_participant,
        "two facts"
    );

    let other = set_role(&mut rooms, "another-session", Role::Listener).await;
    assert_reason(
        other,
        ErrorReason::SessionMismatch,
        Code::FailedPrecondition,
    );
    let none = set_role(&mut rooms, "", Role::Unspecified).await;
    assert_reason(none, ErrorReason::FieldInvalid, Code::InvalidArgument);
}

support::on_both_transports!(a_participant_is_described_anew);
async fn a_participant_is_described_anew(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let joined = join(&mut rooms, "r", "a").await;
    let mut events = watch(&mut rooms, "r", joined.room_revision).await;
    next(&mut events).await;
    let request = UpdateParticipantRequest {
        room_id: "r".into(),
        participant: Some(Participant {
            participant_id: "a".into(),
            display_name: "not to be taken".into(),
            metadata: [("hand".to_owned(), "raised".to_owned())].into(),
            ..Default::default()
        }),
        update_mask: Some(mask(&["metadata"])),
    };
    rooms
        .update_participant(request.clone())
        .await
        .expect("an update");
    let shown = only_participant(&mut rooms).await;
    assert_eq!(shown.metadata["hand"], "raised");
    assert_eq!(shown.display_name, "A", "the mask did not name it");
    let Some(Event::ParticipantUpdated(updated)) = next(&mut events).await.event else {
        panic!("an update")
    };
    assert_eq!(updated.changed, Some(mask(&["metadata"])));

    let wrong = UpdateParticipantRequest {
        update_mask: Some(mask(&["csrc"])),
        ..request
    };
    let refused = rooms.update_participant(wrong).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
}

support::on_both_transports!(a_room_is_created_and_changed_as_asked);
async fn a_room_is_created_and_changed_as_asked(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let request = CreateRoomRequest {
        room: Some(Room {
            audio_slots: 5,
            speak_policy: SpeakPolicy::SpeakersOnly.into(),
            max_participants: 40,
            metadata: [("topic".to_owned(), "bees".to_owned())].into(),
            ..Default::default()
        }),
        ..create_request("r", "")
    };
    let created = rooms
        .create_room(request)
        .await
        .expect("a room")
        .into_inner();
    assert_eq!((created.audio_slots, created.max_participants), (5, 40));
    assert_eq!(created.speak_policy(), SpeakPolicy::SpeakersOnly);
    assert_eq!(created.metadata["topic"], "bees");
    let usual = create(&mut rooms, "usual").await;
    assert_eq!((usual.audio_slots, usual.max_participants), (3, 0));
    assert_eq!(usual.speak_policy(), SpeakPolicy::Everyone);

    let mut events = watch(&mut rooms, "r", created.revision).await;
    next(&mut events).await;
    let request = UpdateRoomRequest {
        room: Some(Room {
            room_id: "r".into(),
            audio_slots: 8,
            ..Default::default()
        }),
        update_mask: Some(mask(&["audio_slots", "max_participants"])),
    };
    let updated = rooms
        .update_room(request.clone())
        .await
        .expect("an update")
        .into_inner();
    let expected = Room {
        revision: created.revision + 1,
        audio_slots: 8,
        max_participants: 0,
        ..created
    };
    assert_eq!(updated, expected);
    let revision = updated.revision;
    let event = next(&mut events).await;
    let expected = RoomUpdated {
        room: Some(expected),
        changed: Some(mask(&["audio_slots", "max_participants"])),
    };
    assert_eq!(
        (event.revision, event.event),
        (revision, Some(Event::RoomUpdated(expected)))
    );
    let again = rooms
        .update_room(request)
        .await
        .expect("nothing to do")
        .into_inner();
    assert_eq!(again.revision, revision, "nothing changed");

    let too_many = UpdateRoomRequest {
        room: Some(Room {
            room_id: "r".into(),
            audio_slots: 9,
            ..Default::default()
        }),
        update_mask: Some(mask(&["audio_slots"])),
    };
    let refused = rooms.update_room(too_many).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
}

support::on_both_transports!(nobody_and_nowhere_are_named);
async fn nobody_and_nowhere_are_named(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let nowhere = set_role(&mut rooms, "", Role::Speaker).await;
    assert_reason(nowhere, ErrorReason::RoomNotFound, Code::NotFound);
    create(&mut rooms, "r").await;
    let nobody = set_role(&mut rooms, "", Role::Speaker).await;
    assert_reason(nobody, ErrorReason::ParticipantNotFound, Code::NotFound);
    let full = stoa_control::MediaError::Refused(stoa_core::Error::MuteLimit);
    rig.media.refuse_with(Some(full));
    let request = SetMutedRequest {
        room_id: "r".into(),
        participant_id: "a".into(),
        source: MuteSource::Moderator.into(),
        muted: true,
        ..Default::default()
    };
    let refused = rooms.set_muted(request).await;
    assert_reason(
        refused,
        ErrorReason::MuteLimitReached,
        Code::ResourceExhausted,
    );
}
