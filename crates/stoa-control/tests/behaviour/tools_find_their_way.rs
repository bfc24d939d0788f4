//! Reflection, for stock tools.

use crate::support;

use crate::support::{Identity, KEY, Rig, Wire, assert_reason};
use stoa_api::v1::ErrorReason;
use tonic::Code;
use tonic_reflection::pb::{v1, v1alpha};

support::on_both_transports!(services_are_listed);
async fn services_are_listed(wire: Wire) {
    let rig = Rig::start().await;
    let service = rig.service(wire, Identity::Key(KEY));
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(service.clone());
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let asked = futures_util::stream::iter([request]);
    let mut answers = client
        .server_reflection_info(asked)
        .await
        .expect("a stream")
        .into_inner();
    let answer = answers
        .message()
        .await
        .expect("no error")
        .expect("an answer");
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
        answer.message_response
    else {
        panic!("no list");
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    for name in [
        "stoa.control.v1.Rooms",
        "stoa.control.v1.Node",
        "grpc.health.v1.Health",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }

    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(service);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                "stoa.control.v1.Rooms".into(),
            ),
        ),
    };
    let asked = futures_util::stream::iter([request]);
    let mut answers = old
        .server_reflection_info(asked)
        .await
        .expect("a stream")
        .into_inner();
    let answer = answers
        .message()
        .await
        .expect("no error")
        .expect("an answer");
    assert!(matches!(
        answer.message_response,
        Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
    ));
}

support::on_both_transports!(not_for_everybody);
async fn not_for_everybody(wire: Wire) {
    let rig = Rig::start().await;
    let service = rig.service(wire, Identity::Nobody);
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(service);
    let asked = futures_util::stream::iter([v1::ServerReflectionRequest::default()]);
    let refused = client.server_reflection_info(asked).await;
    assert_reason(
        refused.map(|_| ()),
        ErrorReason::CredentialMissing,
        Code::Unauthenticated,
    );
}
