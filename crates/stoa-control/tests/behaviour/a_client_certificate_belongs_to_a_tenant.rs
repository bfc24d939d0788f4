//! That the node's authority vouches for a client certificate is not enough: it has to be a tenant's.

use crate::support;

use crate::support::{Identity, KEY, Rig, Wire, assert_reason, create_request};
use stoa_api::v1::*;
use tonic::Code;

support::on_both_transports!(one_that_is_nobodys_is_refused);
async fn one_that_is_nobodys_is_refused(wire: Wire) {
    let rig = Rig::start().await;
    let (chain, key) = rig.pki.stray_client();
    let mut stray = rig.rooms_of(wire, Identity::Certificate(chain, key));
    let refused = stray.create_room(create_request("r", "")).await;
    let (reason, code) = (ErrorReason::CredentialInvalid, Code::Unauthenticated);
    assert_reason(refused, reason, code);
    // A key is what such a caller is judged by, where there is one.
    let mut request = tonic::Request::new(create_request("r", ""));
    let bearer = format!("Bearer {KEY}").parse().expect("a value");
    request.metadata_mut().insert("authorization", bearer);
    stray.create_room(request).await.expect("the key is good");
}

support::on_both_transports!(a_tenants_acts_for_that_tenant);
async fn a_tenants_acts_for_that_tenant(wire: Wire) {
    let rig = Rig::start().await;
    let (chain, key) = rig.pki.client();
    let mut by_certificate = rig.rooms_of(wire, Identity::Certificate(chain, key));
    by_certificate
        .create_room(create_request("r", ""))
        .await
        .expect("a caller");
    let by_key = support::room(&mut rig.rooms(wire), "r").await;
    assert_eq!(by_key.room_id, "r", "of the same tenant");
    let foreign = Identity::Key(support::FOREIGN_KEY);
    let mut foreign = rig.rooms_of(wire, foreign);
    let list = foreign.list_rooms(ListRoomsRequest::default()).await;
    assert_eq!(list.expect("a list").get_ref().rooms, []);
}
