//! A resume token lets a participant back in as who they were, once, and whoever has left has none. Others see
//! them reconnecting and resumed. An ICE restart gets its answer.

use crate::support;

use crate::support::{Rig, Wire, assert_reason, create, join, join_request, next, watch};
use stoa_api::v1::{watch_response::Event, *};
use stoa_control::MediaError;
use stoa_core::LeaveReason as Reason;
use tonic::Code;

fn again(token: &str) -> JoinRequest {
    JoinRequest {
        resume_token: token.into(),
        ..join_request("r", "a")
    }
}

const INVALID: (ErrorReason, Code) = (ErrorReason::ResumeTokenInvalid, Code::NotFound);

support::on_both_transports!(with_the_token);
async fn with_the_token(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let request = JoinRequest {
        role: Role::Moderator.into(),
        metadata: [("hand".into(), "up".into())].into(),
        ..join_request("r", "a")
    };
    let first = rooms.join(request).await.expect("let in").into_inner();
    rig.media.connect("r", "a");
    let mute = SetMutedRequest {
        room_id: "r".into(),
        participant_id: "a".into(),
        source: MuteSource::Participant.into(),
        muted: true,
        ..Default::default()
    };
    let revision = rooms.set_muted(mute).await.expect("muted").into_inner();
    let mut events = watch(&mut rooms, "r", revision.room_revision).await;
    next(&mut events).await;

    rig.media.lose("r", "a");
    let Some(Event::ParticipantReconnecting(lost)) = next(&mut events).await.event else {
        panic!("they are told to be away");
    };
    let lost = lost.participant.expect("who");
    assert_eq!(lost.state(), ConnectionState::Reconnecting);

    let request = again(&first.resume_token);
    let second = rooms.join(request).await.expect("back").into_inner();
    let before = first.participant.expect("who");
    let after = second.participant.expect("who");
    assert_ne!(after.session_id, before.session_id);
    let expected = Participant {
        session_id: after.session_id.clone(),
        state: ConnectionState::Reconnecting.into(),
        muted_by_participant: true,
        ..before
    };
    assert_eq!(after, expected);
    let Some(Event::ParticipantReconnecting(event)) = next(&mut events).await.event else {
        panic!("their new session is told");
    };
    assert_eq!(event.participant, Some(expected.clone()));
    rig.media.connect("r", "a");
    let Some(Event::ParticipantResumed(event)) = next(&mut events).await.event else {
        panic!("they are told to be back");
    };
    let there = Participant {
        state: ConnectionState::Connected.into(),
        ..expected
    };
    assert_eq!(event.participant, Some(there));

    // Once; and the next one is good while they are connected.
    let used = rooms.join(again(&first.resume_token)).await;
    assert_reason(used, INVALID.0, INVALID.1);
    let third = rooms.join(again(&second.resume_token)).await;
    assert!(third.is_ok());
}

support::on_both_transports!(not_with_another_one);
async fn not_with_another_one(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    create(&mut rooms, "s").await;
    let mine = join(&mut rooms, "r", "a").await.resume_token;
    let theirs = join(&mut rooms, "r", "b").await.resume_token;
    let elsewhere = join(&mut rooms, "s", "a").await.resume_token;
    assert_eq!(mine.len(), 64);
    for wrong in [&*theirs, &*elsewhere, "x", &mine.to_uppercase()] {
        let refused = rooms.join(again(wrong)).await;
        assert_reason(refused, INVALID.0, INVALID.1);
    }
    let unknown = JoinRequest {
        room_id: "none".into(),
        ..again(&mine)
    };
    assert_reason(
        rooms.join(unknown).await,
        ErrorReason::RoomNotFound,
        Code::NotFound,
    );
    assert!(rooms.join(again(&mine)).await.is_ok());
}

support::on_both_transports!(not_after_they_have_left);
async fn not_after_they_have_left(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let first = join(&mut rooms, "r", "a").await;
    rig.media.leave("r", "a", Reason::IceTimeout);
    let refused = rooms.join(again(&first.resume_token)).await;
    assert_reason(refused, INVALID.0, INVALID.1);
    // Nor when the same name is in again.
    let second = join(&mut rooms, "r", "a").await;
    let refused = rooms.join(again(&first.resume_token)).await;
    assert_reason(refused, INVALID.0, INVALID.1);
    assert!(rooms.join(again(&second.resume_token)).await.is_ok());
}

support::on_both_transports!(a_refused_join_does_not_use_the_token_up);
async fn a_refused_join_does_not_use_the_token_up(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let token = join(&mut rooms, "r", "a").await.resume_token;
    let unusable = JoinRequest {
        sdp_offer: "unusable".into(),
        ..again(&token)
    };
    let refused = rooms.join(unusable).await;
    assert_reason(refused, ErrorReason::SdpUnusable, Code::InvalidArgument);
    assert!(rooms.join(again(&token)).await.is_ok());
}

support::on_both_transports!(a_repeated_join_gets_the_same_answer);
async fn a_repeated_join_gets_the_same_answer(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let token = join(&mut rooms, "r", "a").await.resume_token;
    let request = JoinRequest {
        request_id: "1".into(),
        ..again(&token)
    };
    let first = rooms
        .join(request.clone())
        .await
        .expect("back")
        .into_inner();
    let same = rooms.join(request).await.expect("the same").into_inner();
    assert_eq!(first, same);
}

support::on_both_transports!(an_ice_restart);
async fn an_ice_restart(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let session_id = join(&mut rooms, "r", "a").await.participant;
    let session_id = session_id.expect("who").session_id;
    let request = |session_id: &str, sdp_offer: &str| RenegotiateRequest {
        room_id: "r".into(),
        participant_id: "a".into(),
        session_id: session_id.into(),
        sdp_offer: sdp_offer.into(),
    };
    let early = rooms.renegotiate(request(&session_id, "good")).await;
    assert_reason(
        early,
        ErrorReason::SessionConnecting,
        Code::FailedPrecondition,
    );
    rig.media.connect("r", "a");
    for session in ["", &session_id] {
        let answer = rooms.renegotiate(request(session, "good")).await;
        let answer = answer.expect("an answer").into_inner();
        assert_eq!(answer.sdp_answer, "another answer to good");
    }
    let refused = rooms.renegotiate(request("other", "good")).await;
    assert_reason(
        refused,
        ErrorReason::SessionMismatch,
        Code::FailedPrecondition,
    );
    let refused = rooms.renegotiate(request("", "unusable")).await;
    assert_reason(refused, ErrorReason::SdpUnusable, Code::InvalidArgument);
    let refused = rooms.renegotiate(request("", "")).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
    rig.media.refuse_with(Some(MediaError::Overloaded));
    let refused = rooms.renegotiate(request("", "good")).await;
    assert_reason(refused, ErrorReason::NodeOverloaded, Code::Unavailable);
}
