//! UpdateSubscriptions, the audio mode and the pre-roll: what is asked for reaches the media workers, is
//! shown where others may see it, and is refused by name where it cannot be.

use crate::support;

use crate::support::{Rig, Rooms, Wire, assert_reason, create, create_request, join, next, watch};
use stoa_api::v1::{watch_response::Event, *};
use stoa_core::ParticipantId;
use tonic::{Code, Status};

fn mask(path: &str) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask {
        paths: vec![path.to_owned()],
    })
}

async fn choose(rooms: &mut Rooms, mode: SubscriptionMode, names: &[&str]) -> Result<(), Status> {
    let request = UpdateSubscriptionsRequest {
        room_id: "r".into(),
        participant_id: "a".into(),
        session_id: String::new(),
        subscription: Some(Subscription {
            mode: mode.into(),
            participant_ids: names.iter().map(|name| (*name).to_owned()).collect(),
        }),
    };
    rooms.update_subscriptions(request).await.map(drop)
}

support::on_both_transports!(a_choice_of_whom_to_hear);
async fn a_choice_of_whom_to_hear(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let joined = join(&mut rooms, "r", "a").await;
    let id = |name| ParticipantId::new(name).expect("an identifier");
    let last = || rig.media.choices().pop().expect("one for each call");
    assert!(last().is_everybody(), "unless it is said");

    choose(&mut rooms, SubscriptionMode::AllExcept, &["b"])
        .await
        .expect("a choice");
    assert!(!last().wants(&id("b")) && last().wants(&id("c")));
    choose(&mut rooms, SubscriptionMode::Only, &["b"])
        .await
        .expect("a choice");
    assert!(last().wants(&id("b")) && !last().wants(&id("c")));
    let request = GetRoomRequest {
        room_id: "r".into(),
    };
    let room = rooms
        .get_room(request)
        .await
        .expect("the room")
        .into_inner();
    assert_eq!(
        room.revision, joined.room_revision,
        "nobody else is concerned"
    );

    let many: Vec<String> = (0..65).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = choose(&mut rooms, SubscriptionMode::Only, &many).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
    let limit = stoa_core::Error::SubscriptionLimit;
    rig.media.refuse_with(Some(limit.into()));
    let refused = choose(&mut rooms, SubscriptionMode::Only, &["b"]).await;
    let reason = ErrorReason::SubscriptionLimitReached;
    assert_reason(refused, reason, Code::ResourceExhausted);
}

support::on_both_transports!(what_a_microphone_carries);
async fn what_a_microphone_carries(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let joined = join(&mut rooms, "r", "a").await;
    let mut events = watch(&mut rooms, "r", joined.room_revision).await;
    next(&mut events).await;
    let participant = joined.participant.expect("there is one");
    assert_eq!(participant.audio_mode(), AudioMode::Speech);
    let request = |mode| UpdateParticipantRequest {
        room_id: "r".into(),
        participant: Some(Participant {
            participant_id: "a".into(),
            audio_mode: mode,
            ..Default::default()
        }),
        update_mask: mask("audio_mode"),
    };
    let music = request(AudioMode::Music.into());
    rooms.update_participant(music).await.expect("a mode");
    let Some(Event::ParticipantUpdated(updated)) = next(&mut events).await.event else {
        panic!("another event");
    };
    assert_eq!(updated.changed, mask("audio_mode"));
    assert_eq!(
        updated.participant.expect("who").audio_mode(),
        AudioMode::Music
    );
    let unknown = rooms.update_participant(request(7)).await;
    assert_reason(unknown, ErrorReason::FieldInvalid, Code::InvalidArgument);
}

support::on_both_transports!(how_much_is_sent_along);
async fn how_much_is_sent_along(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let of_ms = |ms: i32| prost_types::Duration {
        seconds: 0,
        nanos: ms * 1_000_000,
    };
    let room = rooms
        .create_room(create_request("r", ""))
        .await
        .expect("a room")
        .into_inner();
    assert_eq!(room.speech_preroll, Some(of_ms(60)), "unless it is said");
    let update = |preroll| UpdateRoomRequest {
        room: Some(Room {
            room_id: "r".into(),
            speech_preroll: Some(preroll),
            ..Default::default()
        }),
        update_mask: mask("speech_preroll"),
    };
    let room = rooms
        .update_room(update(of_ms(0)))
        .await
        .expect("none")
        .into_inner();
    assert_eq!(room.speech_preroll, Some(of_ms(0)));
    let refused = rooms.update_room(update(of_ms(201))).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
}
