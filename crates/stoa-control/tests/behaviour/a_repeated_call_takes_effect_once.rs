//! `request_id`.

use crate::support;

use std::{sync::atomic::Ordering, time::Duration};

use crate::support::{
    Identity, OTHER_KEY, Rig, Wire, assert_reason, create, create_request, join_request, until,
};
use stoa_api::v1::*;
use tonic::{Code, Request};

support::on_both_transports!(the_first_answer_comes_again);
async fn the_first_answer_comes_again(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let first = rooms
        .create_room(create_request("r", "1"))
        .await
        .expect("a room")
        .into_inner();
    let request = JoinRequest {
        request_id: "2".into(),
        ..join_request("r", "a")
    };
    let joined = rooms
        .join(request.clone())
        .await
        .expect("they are let in")
        .into_inner();
    let again = rooms.join(request).await.expect("the same").into_inner();
    assert_eq!(joined, again);
    let again = rooms
        .create_room(create_request("r", "1"))
        .await
        .expect("the same")
        .into_inner();
    assert_eq!(first, again, "the first answer, not the room as it is now");
    assert_eq!(rig.media.commands.load(Ordering::SeqCst), 2);

    let reused = rooms.create_room(create_request("other", "1")).await;
    assert_reason(reused, ErrorReason::RequestIdReused, Code::AlreadyExists);
    let request = JoinRequest {
        request_id: "1".into(),
        ..join_request("r", "b")
    };
    assert_reason(
        rooms.join(request).await,
        ErrorReason::RequestIdReused,
        Code::AlreadyExists,
    );
    let mut somebody_else = rig.rooms_of(wire, Identity::Key(OTHER_KEY));
    somebody_else
        .create_room(create_request("other", "1"))
        .await
        .expect("another caller's");
}

support::on_both_transports!(duplicates_at_the_same_time_share_one_answer);
async fn duplicates_at_the_same_time_share_one_answer(wire: Wire) {
    let rig = Rig::start().await;
    let rooms = rig.rooms(wire);
    rig.media.set_open(false);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let mut rooms = rooms.clone();
            tokio::spawn(async move { rooms.create_room(create_request("r", "1")).await })
        })
        .collect();
    until("one has begun", || {
        rig.media.commands.load(Ordering::SeqCst) == 1
    })
    .await;
    rig.media.set_open(true);
    for call in calls {
        let room = call.await.expect("no panic").expect("a room");
        assert_eq!(room.get_ref().room_id, "r");
    }
    assert_eq!(rig.media.commands.load(Ordering::SeqCst), 1);
}

support::on_both_transports!(a_call_whose_caller_gave_up_can_be_asked_about);
async fn a_call_whose_caller_gave_up_can_be_asked_about(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    rig.media.set_open(false);
    let join = || JoinRequest {
        request_id: "1".into(),
        ..join_request("r", "a")
    };
    let mut request = Request::new(join());
    request.set_timeout(Duration::from_millis(300));
    rooms.join(request).await.expect_err("nobody answers");
    rig.media.set_open(true);
    let joined = rooms
        .join(join())
        .await
        .expect("the first one's answer")
        .into_inner();
    assert_eq!(
        joined.participant.expect("there is one").session_id,
        "session-1"
    );
}

support::on_both_transports!(a_refusal_is_asked_again);
async fn a_refusal_is_asked_again(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let join = || JoinRequest {
        request_id: "1".into(),
        ..join_request("r", "a")
    };
    let refused = rooms.join(join()).await;
    assert_reason(refused, ErrorReason::RoomNotFound, Code::NotFound);
    create(&mut rooms, "r").await;
    rooms.join(join()).await.expect("there is a room by now");
}

support::on_both_transports!(a_full_table_refuses_new_ids_only);
async fn a_full_table_refuses_new_ids_only(wire: Wire) {
    let rig = Rig::with(|config| config.service.request_ids = 1).await;
    let mut rooms = rig.rooms(wire);
    rooms
        .create_room(create_request("a", "1"))
        .await
        .expect("a room");
    let refused = rooms.create_room(create_request("b", "2")).await;
    assert_reason(refused, ErrorReason::NodeOverloaded, Code::Unavailable);
    rooms
        .create_room(create_request("a", "1"))
        .await
        .expect("the first answer");
    rooms
        .create_room(create_request("b", ""))
        .await
        .expect("it needs no id");
}
