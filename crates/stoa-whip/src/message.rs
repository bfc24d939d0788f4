//! What requests and answers are made of: media types, headers, tokens and texts.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName},
    request::Parts,
};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use stoa_api::v1::ErrorReason;
use tokio::time::timeout;

use crate::{
    limits,
    problem::{Body, Problem},
};

pub(crate) const SDP: &str = "application/sdp";
pub(crate) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

pub(crate) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The token of `Authorization: Bearer TOKEN` (RFC 6750, section 2.1).
pub(crate) fn token(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(Problem::no_token)?;
    let bearer = value.to_str().ok().filter(|_| values.next().is_none());
    let bearer = bearer.and_then(|value| value.split_at_checked("Bearer ".len()));
    match bearer {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer ") => Ok(token),
        _ => Err(Problem::token()),
    }
}

/// The body, if it is text of this type and no longer than may be.
pub(crate) async fn text(
    parts: &Parts,
    body: Incoming,
    media_type: &'static str,
    limit: usize,
    accept: HeaderName,
) -> Result<String, Problem> {
    let given = parts.headers.get(CONTENT_TYPE);
    let given = given
        .and_then(|given| given.to_str().ok())
        .unwrap_or_default();
    // Parameters, such as a charset, change nothing: SDP is UTF-8.
    let given = given.split(';').next().unwrap_or_default().trim();
    if !given.eq_ignore_ascii_case(media_type) {
        let problem = Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorReason::MessageMalformed,
            format!("the body has to be {media_type}"),
        );
        return Err(problem.with(accept, media_type));
    }
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorReason::MessageTooLarge,
            format!("the body has more than {limit} bytes"),
        )
    };
    let malformed = |detail| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            ErrorReason::MessageMalformed,
            detail,
        )
    };
    let collected = match timeout(limits::BODY, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => return Err(malformed("the body did not come to its end")),
        Err(_elapsed) => {
            return Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                ErrorReason::DeadlinePassed,
                "the body did not come in time",
            ));
        }
    };
    String::from_utf8(collected.into()).map_err(|_| malformed("the body is not UTF-8"))
}

/// An answer with a text in it.
pub(crate) fn with_text(
    status: StatusCode,
    media_type: &'static str,
    text: String,
) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// A header value of text that we have made.
pub(crate) fn header(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(|_| Problem::internal())
}
