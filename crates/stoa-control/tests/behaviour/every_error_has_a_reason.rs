//! Every error that a caller can provoke has its code, its reason, and says what to do.

use crate::support;

use crate::support::{Rig, Wire, assert_reason, create, create_request, join, join_request};
use stoa_api::v1::*;
use stoa_control::MediaError;
use stoa_core::{Error, LimitScope};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

support::on_both_transports!(rooms_that_are_not_there);
async fn rooms_that_are_not_there(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let (reason, code) = (ErrorReason::RoomNotFound, Code::NotFound);
    let room_id = || "none".to_owned();
    let got = rooms.get_room(GetRoomRequest { room_id: room_id() }).await;
    let status = assert_reason(got, reason, code);
    let info = status.get_details_error_info().expect("there is one");
    assert_eq!(info.metadata["room_id"], "none");
    assert_reason(
        rooms
            .close_room(CloseRoomRequest { room_id: room_id() })
            .await,
        reason,
        code,
    );
    assert_reason(rooms.join(join_request("none", "a")).await, reason, code);
    let watch = WatchRequest {
        room_id: room_id(),
        from_revision: 0,
    };
    assert_reason(rooms.watch(watch).await, reason, code);
}

support::on_both_transports!(things_that_are_there_already);
async fn things_that_are_there_already(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    join(&mut rooms, "r", "a").await;
    let again = rooms.create_room(create_request("r", "")).await;
    assert_reason(again, ErrorReason::RoomAlreadyExists, Code::AlreadyExists);
    let again = rooms.join(join_request("r", "a")).await;
    assert_reason(
        again,
        ErrorReason::ParticipantAlreadyExists,
        Code::AlreadyExists,
    );
}

support::on_both_transports!(offers_that_cannot_be_answered);
async fn offers_that_cannot_be_answered(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let created = create(&mut rooms, "r").await;
    for (offer, reason) in [
        ("malformed", ErrorReason::SdpMalformed),
        ("no audio", ErrorReason::SdpNoAudio),
        ("no opus", ErrorReason::SdpNoCommonCodec),
        ("too many", ErrorReason::SdpTooManyAudioLines),
        ("unusable", ErrorReason::SdpUnusable),
    ] {
        let request = JoinRequest {
            sdp_offer: offer.into(),
            ..join_request("r", "a")
        };
        assert_reason(rooms.join(request).await, reason, Code::InvalidArgument);
    }
    let room = rooms
        .get_room(GetRoomRequest {
            room_id: "r".into(),
        })
        .await
        .expect("the room");
    assert_eq!(
        (room.get_ref().revision, room.get_ref().participant_count),
        (created.revision, 0)
    );
}

support::on_both_transports!(candidates_and_sessions);
async fn candidates_and_sessions(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    join(&mut rooms, "r", "a").await;
    let request = |participant: &str, session: &str, candidate: &str| AddIceCandidateRequest {
        room_id: "r".into(),
        participant_id: participant.into(),
        session_id: session.into(),
        candidate: candidate.into(),
    };
    for (request, reason, code) in [
        (
            request("b", "", ""),
            ErrorReason::ParticipantNotFound,
            Code::NotFound,
        ),
        (
            request("a", "old", ""),
            ErrorReason::SessionMismatch,
            Code::FailedPrecondition,
        ),
        (
            request("a", "", "malformed"),
            ErrorReason::IceCandidateMalformed,
            Code::InvalidArgument,
        ),
        (
            request("a", "", "one too many"),
            ErrorReason::IceCandidateLimitReached,
            Code::ResourceExhausted,
        ),
    ] {
        assert_reason(rooms.add_ice_candidate(request).await, reason, code);
    }
    rooms
        .add_ice_candidate(request("a", "session-1", ""))
        .await
        .expect("the end of candidates");

    let removal = |participant: &str, session: &str| RemoveParticipantRequest {
        room_id: "r".into(),
        participant_id: participant.into(),
        session_id: session.into(),
    };
    let nobody = rooms.remove_participant(removal("b", "")).await;
    assert_reason(nobody, ErrorReason::ParticipantNotFound, Code::NotFound);
    let old = rooms.remove_participant(removal("a", "old")).await;
    assert_reason(old, ErrorReason::SessionMismatch, Code::FailedPrecondition);
}

support::on_both_transports!(limits_of_the_workers);
async fn limits_of_the_workers(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    rig.media
        .refuse_with(Some(Error::RoomLimit { limit: 7 }.into()));
    let full = rooms.create_room(create_request("r", "")).await;
    let status = assert_reason(full, ErrorReason::RoomLimitReached, Code::ResourceExhausted);
    let info = status.get_details_error_info().expect("there is one");
    assert_eq!(info.metadata["limit"], "7");

    let limit = Error::ParticipantLimit {
        scope: LimitScope::Worker,
        limit: 9,
    };
    rig.media.refuse_with(Some(limit.into()));
    let full = rooms.join(join_request("r", "a")).await;
    let status = assert_reason(
        full,
        ErrorReason::ParticipantLimitReached,
        Code::ResourceExhausted,
    );
    let info = status.get_details_error_info().expect("there is one");
    assert_eq!(
        (&*info.metadata["scope"], &*info.metadata["limit"]),
        ("worker", "9")
    );

    rig.media.refuse_with(Some(MediaError::Overloaded));
    let busy = rooms.join(join_request("r", "a")).await;
    let status = assert_reason(busy, ErrorReason::NodeOverloaded, Code::Unavailable);
    let retry = status
        .get_details_retry_info()
        .and_then(|retry| retry.retry_delay);
    assert!(retry.is_some_and(|delay| !delay.is_zero()));

    rig.media.refuse_with(Some(MediaError::Stopped));
    let stopped = rooms.join(join_request("r", "a")).await;
    assert_reason(stopped, ErrorReason::NodeDraining, Code::Unavailable);
}

support::on_both_transports!(fields_that_are_wrong);
async fn fields_that_are_wrong(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    let request = JoinRequest {
        display_name: "x".repeat(257),
        ..join_request("a b", "")
    };
    let wrong = rooms.join(request).await;
    let status = assert_reason(wrong, ErrorReason::FieldInvalid, Code::InvalidArgument);
    let bad = status.get_details_bad_request().expect("there is one");
    let fields: Vec<_> = bad
        .field_violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert_eq!(fields, ["room_id", "participant_id", "display_name"]);
    assert_eq!(
        rig.media.commands.load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

support::on_both_transports!(methods_that_are_not_there);
async fn methods_that_are_not_there(wire: Wire) {
    let rig = Rig::start().await;
    for path in [
        "/stoa.control.v1.Rooms/Levitate",
        "/stoa.control.v1.Doors/Open",
        "/",
    ] {
        let service = rig.service(wire, support::Identity::Key(support::KEY));
        let mut client = tonic::client::Grpc::new(service);
        client.ready().await.expect("it is always ready");
        let codec = tonic_prost::ProstCodec::<GetStatusRequest, NodeStatus>::default();
        let path = path.parse().expect("a path");
        let answer = client
            .unary(Request::new(GetStatusRequest {}), path, codec)
            .await;
        assert_reason(answer, ErrorReason::MethodUnknown, Code::Unimplemented);
    }
}

support::on_both_transports!(faults_of_our_own);
async fn faults_of_our_own(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    rig.media
        .panics
        .store(true, std::sync::atomic::Ordering::SeqCst);
    for request_id in ["", "1"] {
        let broken = rooms.create_room(create_request("r", request_id)).await;
        assert_reason(broken, ErrorReason::InternalFault, Code::Internal);
    }
    rig.media
        .panics
        .store(false, std::sync::atomic::Ordering::SeqCst);
    rooms
        .create_room(create_request("r", "1"))
        .await
        .expect("the node goes on");
}
