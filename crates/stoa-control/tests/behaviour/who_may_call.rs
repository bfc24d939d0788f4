//! Keys and certificates: who gets in, as whom, and who does not.

use crate::support;

use crate::support::{
    Identity, KEY, OTHER_KEY, Rig, Wire, assert_reason, create_request, pki::Pki,
};
use stoa_api::v1::*;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

support::on_both_transports!(without_a_credential_there_is_health_only);
async fn without_a_credential_there_is_health_only(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms_of(wire, Identity::Nobody);
    let refused = rooms.list_rooms(ListRoomsRequest::default()).await;
    assert_reason(
        refused,
        ErrorReason::CredentialMissing,
        Code::Unauthenticated,
    );
    let watch = WatchRequest {
        room_id: "r".into(),
        from_revision: 0,
    };
    let refused = rooms.watch(watch).await;
    assert_reason(
        refused,
        ErrorReason::CredentialMissing,
        Code::Unauthenticated,
    );
    let mut health = HealthClient::new(rig.service(wire, Identity::Nobody));
    health
        .check(HealthCheckRequest::default())
        .await
        .expect("probes need none");
}

support::on_both_transports!(a_wrong_key_is_refused_whatever_else_is_there);
async fn a_wrong_key_is_refused_whatever_else_is_there(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms_of(wire, Identity::Key("wrong"));
    let refused = rooms.list_rooms(ListRoomsRequest::default()).await;
    let status = assert_reason(
        refused,
        ErrorReason::CredentialInvalid,
        Code::Unauthenticated,
    );
    assert!(
        !format!("{status:?}").contains("wrong\""),
        "the key is not repeated: {status:?}"
    );

    let (chain, key) = rig.pki.client();
    let mut rooms = rig.rooms_of(wire, Identity::Certificate(chain, key));
    let mut request = tonic::Request::new(ListRoomsRequest::default());
    request
        .metadata_mut()
        .insert("authorization", "Bearer wrong".parse().expect("a value"));
    let refused = rooms.list_rooms(request).await;
    assert_reason(
        refused,
        ErrorReason::CredentialInvalid,
        Code::Unauthenticated,
    );
}

support::on_both_transports!(a_client_certificate_is_a_caller);
async fn a_client_certificate_is_a_caller(wire: Wire) {
    let rig = Rig::start().await;
    let (chain, key) = rig.pki.client();
    let mut by_certificate = rig.rooms_of(wire, Identity::Certificate(chain, key));
    by_certificate
        .create_room(create_request("a", "1"))
        .await
        .expect("a caller");
    // Each of these is somebody else: the same request_id is another one's.
    for (number, identity) in [Identity::Key(KEY), Identity::Key(OTHER_KEY)]
        .into_iter()
        .enumerate()
    {
        let room = format!("b{number}");
        let mut rooms = rig.rooms_of(wire, identity);
        rooms
            .create_room(create_request(&room, "1"))
            .await
            .expect("another caller");
    }
    let reused = by_certificate.create_room(create_request("c", "1")).await;
    assert_reason(reused, ErrorReason::RequestIdReused, Code::AlreadyExists);
}

support::on_both_transports!(a_certificate_of_somebody_else_s_ca_is_refused);
async fn a_certificate_of_somebody_else_s_ca_is_refused(wire: Wire) {
    let rig = Rig::start().await;
    let (chain, key) = Pki::new().client();
    let mut rooms = rig.rooms_of(wire, Identity::Certificate(chain, key));
    let refused = rooms
        .list_rooms(ListRoomsRequest::default())
        .await
        .expect_err("it is refused");
    assert_ne!(
        refused.code(),
        Code::Unauthenticated,
        "TLS refuses it: {refused:?}"
    );
    assert_eq!(
        rig.media.commands.load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_refused() {
    let rig = Rig::start().await;
    let client = support::wire::client(rig.address, &Pki::new(), Identity::Key(KEY));
    let status = client.rooms().list_rooms(ListRoomsRequest::default()).await;
    let status = status.expect_err("its CA is unknown");
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("handshake"), "{status:?}");
}
