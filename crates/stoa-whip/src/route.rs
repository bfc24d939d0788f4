//! From a request to its answer: which resource it is, what it may be asked, and what every answer has.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderName},
    request::Parts,
};
use hyper::body::Incoming;
use stoa_api::v1::ErrorReason;

use crate::{
    cross_origin, enter,
    message::{ACCEPT_PATCH, ACCEPT_POST, FRAGMENT, SDP},
    problem::{Body, Problem},
    service::{Service, Via},
    session,
};

/// What a request for a session or an endpoint may be.
const ENDPOINT_METHODS: &str = "POST, OPTIONS";
const SESSION_METHODS: &str = "PATCH, DELETE, OPTIONS";

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

/// Answers a request, whatever it does.
pub(crate) async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
    via: Via,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let handled = AssertUnwindSafe(handle(&service, &parts, body, &via)).catch_unwind();
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
    cross_origin::allow(&service.pages().origins, &parts.headers, headers);
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
    service: &Service,
    parts: &Parts,
    body: Incoming,
    via: &Via,
) -> Result<Response<Body>, Problem> {
    match resource(parts.uri.path()) {
        Some(Resource::Endpoint(endpoint, room)) => match parts.method {
            Method::POST => enter::enter(service, parts, body, via, endpoint, room).await,
            Method::OPTIONS => Ok(options(ACCEPT_POST, SDP, ENDPOINT_METHODS)),
            _ => Err(Problem::method(ENDPOINT_METHODS)),
        },
        Some(Resource::Session(name)) => match parts.method {
            Method::PATCH => session::patch(service, parts, body, via, name).await,
            Method::DELETE => session::delete(service, parts, via, name).await,
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

fn options(accept: HeaderName, media_type: &'static str, methods: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::default());
    let headers = response.headers_mut();
    headers.insert(accept, HeaderValue::from_static(media_type));
    headers.insert(http::header::ALLOW, HeaderValue::from_static(methods));
    response
}
