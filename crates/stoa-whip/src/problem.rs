//! Every error as a problem (RFC 9457), with the same reasons as over gRPC.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use stoa_api::v1::ErrorReason;
use stoa_control::Failure;
use tonic::Code;

/// What stands before a reason in a problem's `type`.
const TYPE_PREFIX: &str = "urn:stoa:error:";

/// What every answer's body is.
pub(crate) type Body = Full<Bytes>;

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    reason: ErrorReason,
    detail: String,
    metadata: Vec<(String, String)>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, reason: ErrorReason, detail: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            detail: detail.into(),
            metadata: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
        }
    }

    /// Adds a header that goes with it.
    pub(crate) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    pub(crate) fn reason(&self) -> ErrorReason {
        self.reason
    }

    /// The resource has other methods.
    pub(crate) fn method(allowed: &'static str) -> Self {
        let detail = format!("this resource has {allowed} only");
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorReason::MethodUnknown,
            detail,
        )
        .with(ALLOW, allowed)
    }

    /// Every bad token looks like this one.
    pub(crate) fn token() -> Self {
        let detail = "the join token is not good";
        Self::new(StatusCode::UNAUTHORIZED, ErrorReason::TokenInvalid, detail)
            .with(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
    }

    pub(crate) fn no_token() -> Self {
        let detail = "send a join token as `Authorization: Bearer TOKEN`";
        Self::new(
            StatusCode::UNAUTHORIZED,
            ErrorReason::CredentialMissing,
            detail,
        )
        .with(WWW_AUTHENTICATE, "Bearer")
    }

    pub(crate) fn not_sufficient(detail: &str) -> Self {
        let reason = ErrorReason::TokenNotSufficient;
        Self::new(StatusCode::FORBIDDEN, reason, detail)
            .with(WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\"")
    }

    pub(crate) fn internal() -> Self {
        let detail = "a fault of the node's own; its log has more";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorReason::InternalFault,
            detail,
        )
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut body = Map::new();
        let reason = self.reason.as_str_name();
        body.insert("type".to_owned(), json!(format!("{TYPE_PREFIX}{reason}")));
        body.insert("title".to_owned(), json!(title(reason)));
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        body.insert("detail".to_owned(), json!(self.detail));
        body.insert("reason".to_owned(), json!(reason));
        if !self.metadata.is_empty() {
            let members = self.metadata.into_iter();
            let members: Map<String, Value> =
                members.map(|(key, value)| (key, json!(value))).collect();
            body.insert("metadata".to_owned(), Value::Object(members));
        }
        let body = Value::Object(body).to_string();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(delay) = self.retry_after {
            // Whole seconds, and none of them too few.
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// `SDP_NO_AUDIO` as "Sdp no audio".
fn title(reason: &str) -> String {
    let mut title = reason.to_lowercase().replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let reason = failure.reason();
        let mut problem = Self::new(status(reason, failure.code()), reason, failure.message());
        let metadata = failure.metadata();
        problem.metadata = metadata
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        problem.retry_after = failure.retry_after();
        problem
    }
}

/// The status that goes with a reason: where HTTP has a finer one that of the reason, otherwise that of its
/// canonical code.
fn status(reason: ErrorReason, code: Code) -> StatusCode {
    use ErrorReason as R;
    match reason {
        R::MessageTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        R::SdpNoAudio | R::SdpNoCommonCodec | R::SdpTooManyAudioLines | R::SdpUnusable => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        // Those of one tenant, person or source; other limits are the node's.
        R::QuotaReached | R::RateExceeded | R::IceCandidateLimitReached => {
            StatusCode::TOO_MANY_REQUESTS
        }
        _ => of_code(code),
    }
}

fn of_code(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted | Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // The method is there, but not what was asked of it.
        Code::Unimplemented => StatusCode::UNPROCESSABLE_ENTITY,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_node_says_when_to_come_back() {
        let reason = ErrorReason::NodeSaturated;
        let status = status(reason, Code::ResourceExhausted);
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let mut problem = Problem::new(status, reason, "full");
        problem.retry_after = Some(Duration::from_millis(4_500));
        let response = problem.into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "5");
    }
}
