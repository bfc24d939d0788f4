use super::*;

/// The values of the enum as the proto file has them, with the code that the comment names.
fn documented() -> Vec<(ErrorReason, String)> {
    let proto = include_str!("../../../stoa-api/proto/stoa/control/v1/errors.proto");
    let mut found = Vec::new();
    let mut comment = String::new();
    for line in proto.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("// ") {
            comment.push_str(text);
            continue;
        }
        if let Some((name, _)) = line.split_once(" = ")
            && let Some(reason) = ErrorReason::from_str_name(name)
        {
            let code = comment.split_once(':').map_or("", |(code, _)| code);
            found.push((reason, code.to_owned()));
        }
        comment.clear();
    }
    found
}

fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[test]
fn every_reason_has_the_code_that_the_proto_documents() {
    let documented = documented();
    assert!(
        documented.len() > 25,
        "the proto file was read: {documented:?}"
    );
    for (reason, expected) in documented {
        if reason != ErrorReason::Unspecified {
            assert_eq!(name(code(reason)), expected, "{reason:?}");
        }
    }
}

#[test]
fn a_status_carries_reason_metadata_fields_and_delay() {
    let violations = vec![("room_id", "is empty".to_owned())];
    let failure = Failure::fields(violations)
        .with("limit", 3)
        .after(Duration::from_secs(1));
    let status = Status::from(failure);
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "room_id is empty");
    let details = status.get_error_details();
    let info = details.error_info().expect("there is one");
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("FIELD_INVALID", ERROR_DOMAIN)
    );
    assert_eq!(info.metadata["limit"], "3");
    let bad = details.bad_request().expect("there is one");
    assert_eq!(bad.field_violations[0].field, "room_id");
    let retry = details.retry_info().expect("there is one");
    assert_eq!(retry.retry_delay, Some(Duration::from_secs(1)));
}

#[test]
fn a_message_is_cut_at_a_character() {
    let failure = Failure::new(ErrorReason::SdpMalformed, "é".repeat(MAX_MESSAGE_BYTES));
    let status = Status::from(failure);
    assert_eq!(status.message(), "é".repeat(MAX_MESSAGE_BYTES / 2));
}

#[test]
fn trailers_carry_the_status_too() {
    let trailers = Failure::deadline().into_trailers();
    let status = Status::from_header_map(&trailers).expect("there is one");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.get_details_error_info().is_some());
}

#[test]
fn tonic_s_own_errors_get_a_reason() {
    for (own, reason) in [
        (Status::unimplemented(""), ErrorReason::MethodUnknown),
        (
            Status::out_of_range("too large"),
            ErrorReason::MessageTooLarge,
        ),
        (Status::internal("eof"), ErrorReason::MessageMalformed),
    ] {
        let response = complete(own.into_http(), 10);
        let status = Status::from_header_map(response.headers()).expect("there is one");
        assert_eq!(status.code(), code(reason));
        let info = status.get_details_error_info().expect("there is one");
        assert_eq!(info.reason, reason.as_str_name());
    }
    let untouched = complete(Status::not_found("health").into_http(), 10);
    let status = Status::from_header_map(untouched.headers()).expect("there is one");
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "health")
    );
}
