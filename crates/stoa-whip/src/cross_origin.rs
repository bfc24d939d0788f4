//! What pages of other origins may do (Fetch, section 3.2).

use http::{
    HeaderMap, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
    },
};

use crate::{config::Origins, limits};

/// What a page may read of an answer, beside the body.
const EXPOSED: &str = "Location, ETag, Link, Accept-Patch, Accept-Post, Allow, Retry-After";

/// What a page may send, beside the body.
const TAKEN: &str = "Authorization, Content-Type, If-Match";

/// Adds to an answer what lets the page of an allowed origin read it. Others get the answer, too: it is
/// their browser that keeps it from them.
pub(crate) fn allow(origins: &Origins, request: &HeaderMap, answer: &mut HeaderMap) {
    if !origins.every && origins.some.is_empty() {
        return;
    }
    let allowed = match origins.every {
        true => Some(HeaderValue::from_static("*")),
        false => {
            answer.append(VARY, HeaderValue::from_static("Origin"));
            let origin = request.get(ORIGIN);
            origin
                .filter(|origin| origins.some.contains(origin))
                .cloned()
        }
    };
    if let Some(allowed) = allowed {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        answer.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }
}

/// Adds to the answer of OPTIONS what a page may do, if it may do anything.
pub(crate) fn preflight(methods: &'static str, answer: &mut HeaderMap) {
    if !answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    answer.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(methods),
    );
    answer.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(TAKEN),
    );
    answer.insert(
        ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from(limits::PREFLIGHT_SECONDS),
    );
}
