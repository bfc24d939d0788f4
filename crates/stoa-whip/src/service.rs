//! From a request to its answer: which resource it is, what it may be asked, and what every answer has.

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName},
    request::Parts,
};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use stoa_api::v1::ErrorReason;
use stoa_control::Entrance;
use stoa_token::Grant;
use tokio::{sync::watch, time::timeout};

use crate::{
    config::Pages,
    cross_origin, enter, limits,
    problem::{Body, Problem},
    session,
    sessions::Sessions,
};

/// What a request for a session or an endpoint may be.
const ENDPOINT_METHODS: &str = "POST, OPTIONS";
const SESSION_METHODS: &str = "PATCH, DELETE, OPTIONS";

pub(crate) const SDP: &str = "application/sdp";
pub(crate) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

pub(crate) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// What all requests share.
pub(crate) struct Service {
    pub(crate) entrance: Entrance,
    pub(crate) pages: watch::Receiver<Arc<Pages>>,
    pub(crate) sessions: Sessions,
}

impl Service {
    /// What holds now.
    pub(crate) fn pages(&self) -> Arc<Pages> {
        Arc::clone(&self.pages.borrow())
    }
}

/// What an address names.
pub(crate) enum Resource<'a> {
    /// Where one enters, and the room if it is named.
    Endpoint(enter::Endpoint, Option<&'a str>),
    /// A session.
    Session(&'a str),
}

pub(crate) fn resource(path: &str) -> Option<Resource<'_>> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let (first, second, None) = (parts.next()?, parts.next(), parts.next()) else {
        return None;
    };
    let room = second.filter(|room| !room.is_empty());
    match first {
        "whip" => Some(Resource::Endpoint(enter::Endpoint::Whip, room)),
        "whep" => Some(Resource::Endpoint(enter::Endpoint::Whep, room)),
        "session" => room.map(Resource::Session),
        _ => None,
    }
}

impl Service {
    /// Answers a request, whatever it does.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        source: IpAddr,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let handled = AssertUnwindSafe(self.handle(&parts, body, source)).catch_unwind();
        let handled = handled.await.unwrap_or_else(|_panic| {
            tracing::error!("a handler panicked");
            Err(Problem::internal())
        });
        let mut response = handled.unwrap_or_else(|problem| {
            let reason = problem.reason().as_str_name();
            tracing::debug!(method = %parts.method, reason, "refused");
            problem.into_response()
        });
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        cross_origin::allow(&self.pages().origins, &parts.headers, headers);
        if parts.method == Method::OPTIONS && response.status().is_success() {
            let session = parts.uri.path().starts_with("/session/");
            let methods = if session {
                SESSION_METHODS
            } else {
                ENDPOINT_METHODS
            };
            cross_origin::preflight(methods, response.headers_mut());
        }
        response
    }

    async fn handle(
        &self,
        parts: &Parts,
        body: Incoming,
        source: IpAddr,
    ) -> Result<Response<Body>, Problem> {
        match resource(parts.uri.path()) {
            Some(Resource::Endpoint(endpoint, room)) => match parts.method {
                Method::POST => enter::enter(self, parts, body, source, endpoint, room).await,
                Method::OPTIONS => Ok(options(ACCEPT_POST, SDP, ENDPOINT_METHODS)),
                _ => Err(Problem::method(ENDPOINT_METHODS)),
            },
            Some(Resource::Session(name)) => match parts.method {
                Method::PATCH => session::patch(self, parts, body, source, name).await,
                Method::DELETE => session::delete(self, parts, source, name).await,
                Method::OPTIONS => Ok(options(ACCEPT_PATCH, FRAGMENT, SESSION_METHODS)),
                _ => Err(Problem::method(SESSION_METHODS)),
            },
            None => Err(Problem::new(
                StatusCode::NOT_FOUND,
                ErrorReason::MethodUnknown,
                "there is /whip, /whep, and the session that they name",
            )),
        }
    }

    /// What the request's token grants. A source that has shown too many bad ones is not looked at.
    pub(crate) fn grant(&self, token: &str, source: IpAddr) -> Result<Grant, Problem> {
        let grant = self.entrance.grant(token, Some(source));
        grant.map_err(|failure| match failure.reason() {
            ErrorReason::TokenInvalid => Problem::token(),
            _ => failure.into(),
        })
    }
}

fn options(accept: HeaderName, media_type: &'static str, methods: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::default());
    let headers = response.headers_mut();
    headers.insert(accept, HeaderValue::from_static(media_type));
    headers.insert(http::header::ALLOW, HeaderValue::from_static(methods));
    response
}

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
