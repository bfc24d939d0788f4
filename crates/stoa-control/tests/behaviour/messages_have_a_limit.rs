//! Messages that are too large, or no messages at all.

use crate::support;

use crate::support::{KEY, Rig, Service, Wire, assert_reason, create, join_request, wire::bare};
use bytes::{BufMut as _, Bytes, BytesMut};
use http::{Request, Response};
use stoa_api::v1::*;
use tonic::{Code, Status, body::Body};
use tower::ServiceExt as _;

support::on_both_transports!(a_message_that_is_too_large);
async fn a_message_that_is_too_large(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let offer = |bytes| JoinRequest {
        sdp_offer: "v".repeat(bytes),
        ..join_request("r", "a")
    };
    for bytes in [128 * 1024, 3 * 1024 * 1024] {
        let refused = rooms.join(offer(bytes)).await;
        assert_reason(
            refused,
            ErrorReason::MessageTooLarge,
            Code::ResourceExhausted,
        );
    }
    let refused = rooms.join(offer(64 * 1024 + 1)).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
    rooms
        .join(offer(64 * 1024))
        .await
        .expect("just within the limit");
}

support::on_both_transports!(what_is_no_message);
async fn what_is_no_message(wire: Wire) {
    let rig = Rig::start().await;
    let service = bare(wire, rig.address, &rig.pki, KEY).await;
    let mut announced_more = BytesMut::new();
    announced_more.put_u8(0);
    announced_more.put_u32(100);
    announced_more.put_slice(b"ten bytes.");
    // Field 1 is a string; this is a number.
    let mut other_type = BytesMut::new();
    other_type.put_u8(0);
    other_type.put_u32(2);
    other_type.put_slice(&[0x08, 0x01]);
    for body in [Bytes::new(), announced_more.freeze(), other_type.freeze()] {
        let refused = send(&service, body).await;
        assert_reason(
            refused,
            ErrorReason::MessageMalformed,
            Code::InvalidArgument,
        );
    }
}

async fn send(service: &Service, body: Bytes) -> Result<(), Status> {
    let request = Request::post("/stoa.control.v1.Rooms/GetRoom")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(http_body_util::Full::new(body)))
        .expect("a request");
    let response: Response<Body> = service.clone().oneshot(request).await?;
    match Status::from_header_map(response.headers()) {
        Some(status) => Err(status),
        None => Ok(()),
    }
}
