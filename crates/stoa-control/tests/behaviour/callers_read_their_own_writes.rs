//! An answer comes when the mirror of the rooms shows what the call has done.

use crate::support;

use crate::support::{
    Rig, Wire, assert_reason, create, create_request, join, join_request, media::Delivery, until,
};
use stoa_api::v1::*;
use tonic::Code;

support::on_both_transports!(answers_wait_for_the_mirror);
async fn answers_wait_for_the_mirror(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let get = || GetRoomRequest {
        room_id: "r".into(),
    };

    // Runs a call whose events are held back, and shows that its answer waits for them.
    macro_rules! held_back {
        ($call:expr) => {{
            rig.media.set_delivery(Delivery::Held);
            let call = tokio::spawn($call);
            until("it has happened", || rig.media.held() > 0).await;
            // The command itself is done: whoever asks the node something else gets an answer.
            rooms
                .list_rooms(ListRoomsRequest::default())
                .await
                .expect("a list");
            assert!(!call.is_finished(), "the mirror does not show it yet");
            rig.media.deliver();
            call.await
                .expect("no panic")
                .expect("no error")
                .into_inner()
        }};
    }

    let mut caller = rooms.clone();
    let room = held_back!(async move { caller.create_room(create_request("r", "")).await });
    let created = room.revision;
    assert_eq!(room.audio_slots, 3);
    assert_eq!(
        rooms.get_room(get()).await.expect("the room").into_inner(),
        room
    );

    let mut caller = rooms.clone();
    let joined = held_back!(async move { caller.join(join_request("r", "a")).await });
    assert_eq!(
        (joined.room_revision, joined.sdp_answer.as_str()),
        (created + 1, "answer to good")
    );
    let room = rooms.get_room(get()).await.expect("the room").into_inner();
    assert_eq!(
        room.participants,
        [joined.participant.expect("there is one")]
    );
    assert_eq!(room.participants[0].display_name, "A");

    let removal = RemoveParticipantRequest {
        room_id: "r".into(),
        participant_id: "a".into(),
        session_id: String::new(),
    };
    let mut caller = rooms.clone();
    let removed = held_back!(async move { caller.remove_participant(removal).await });
    assert_eq!(removed.room_revision, created + 2);
    let room = rooms.get_room(get()).await.expect("the room").into_inner();
    assert_eq!((room.revision, room.participant_count), (created + 2, 0));

    let mut caller = rooms.clone();
    let close = CloseRoomRequest {
        room_id: "r".into(),
    };
    held_back!(async move { caller.close_room(close).await });
    let gone = rooms.get_room(get()).await;
    assert_reason(gone, ErrorReason::RoomNotFound, Code::NotFound);
}

support::on_both_transports!(a_room_that_is_closed_meanwhile_holds_nobody);
async fn a_room_that_is_closed_meanwhile_holds_nobody(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let created = create(&mut rooms, "r").await;
    rig.media.set_delivery(Delivery::Held);
    let mut caller = rooms.clone();
    let joining = tokio::spawn(async move { caller.join(join_request("r", "a")).await });
    until("it has happened", || rig.media.held() == 1).await;
    let mut caller = rooms.clone();
    let close = CloseRoomRequest {
        room_id: "r".into(),
    };
    let closing = tokio::spawn(async move { caller.close_room(close).await });
    until("it has happened", || rig.media.held() == 3).await;
    rooms
        .list_rooms(ListRoomsRequest::default())
        .await
        .expect("a list");
    rig.media.deliver();
    closing.await.expect("no panic").expect("it is closed");
    let joined = joining
        .await
        .expect("no panic")
        .expect("they were let in first")
        .into_inner();
    assert_eq!(joined.room_revision, created.revision + 1);
    assert_eq!(
        joined.participant.expect("there is one").session_id,
        "session-1"
    );
}

support::on_both_transports!(what_was_lost_is_waited_for_no_longer);
async fn what_was_lost_is_waited_for_no_longer(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    rig.media.set_delivery(Delivery::Lost);
    let mut caller = rooms.clone();
    let joining = tokio::spawn(async move { caller.join(join_request("r", "a")).await });
    until("it has happened", || rig.media.lost() == 1).await;
    rooms
        .list_rooms(ListRoomsRequest::default())
        .await
        .expect("a list");
    rig.media.report_loss();
    joining.await.expect("no panic").expect("they are let in");
    let room = rooms
        .get_room(GetRoomRequest {
            room_id: "r".into(),
        })
        .await
        .expect("the room");
    assert_eq!(room.get_ref().participant_count, 1);
    join(&mut rooms, "r", "b").await;
}
