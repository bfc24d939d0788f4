//! PATCH and DELETE: candidates, ICE restarts, and the end.

use std::sync::Arc;

use http::{
    HeaderMap, Response, StatusCode,
    header::{ETAG, IF_MATCH},
    request::Parts,
};
use hyper::body::Incoming;
use stoa_api::v1::ErrorReason;

use crate::{
    fragment::{self, Fragment},
    limits,
    message::{ACCEPT_PATCH, FRAGMENT, header, text, token, with_text},
    offer,
    problem::{Body, Problem},
    service::{Service, Via},
    sessions::{Ice, Session, new_tag},
};

/// The session of this name, if the request may act for it: with the token that opened it, expired or not,
/// or with another good one of the same person. Whoever has opened it is not kept from it by what else comes
/// from their address.
fn find(
    service: &Service,
    headers: &HeaderMap,
    via: &Via,
    name: &str,
) -> Result<Arc<Session>, Problem> {
    let token = token(headers)?;
    let session = service.sessions.get(name);
    if let Some(session) = &session
        && session.opened_by(token)
    {
        via.place.keep(&session.grant.tenant);
        return Ok(Arc::clone(session));
    }
    let grant = service.grant(token, via)?;
    let session = session.filter(|session| {
        session.grant.room == grant.room && session.grant.participant == grant.participant
    });
    session.ok_or_else(gone)
}

fn gone() -> Problem {
    let detail = "there is no such session, or it is over";
    Problem::new(
        StatusCode::NOT_FOUND,
        ErrorReason::ParticipantNotFound,
        detail,
    )
}

/// Ends the session. An entity tag is not asked for (RFC 9725, section 4.3.1).
pub(crate) async fn delete(
    service: &Service,
    parts: &Parts,
    via: &Via,
    name: &str,
) -> Result<Response<Body>, Problem> {
    let session = find(service, &parts.headers, via, name)?;
    let media = session.media.clone();
    let left = service.entrance.leave(&session.grant, media).await;
    match left.map_err(Problem::from) {
        Ok(()) => {}
        // Then they have left already, or are in again with another session.
        Err(problem) if is_over(&problem) => {}
        Err(problem) => return Err(problem),
    }
    service.sessions.remove(name);
    Ok(Response::new(Body::default()))
}

fn is_over(problem: &Problem) -> bool {
    matches!(
        problem.reason(),
        ErrorReason::RoomNotFound | ErrorReason::ParticipantNotFound | ErrorReason::SessionMismatch
    )
}

/// Takes candidates, or restarts ICE.
pub(crate) async fn patch(
    service: &Service,
    parts: &Parts,
    body: Incoming,
    via: &Via,
    name: &str,
) -> Result<Response<Body>, Problem> {
    let session = find(service, &parts.headers, via, name)?;
    let text = text(parts, body, FRAGMENT, limits::FRAGMENT_BYTES, ACCEPT_PATCH).await?;
    let condition = condition(&parts.headers)?;
    let fragment = fragment::parse(&text).map_err(|detail| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            ErrorReason::MessageMalformed,
            detail,
        )
    })?;
    let mut ice = session.ice.lock().await;
    if !condition.is_met(&ice.tag) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            ErrorReason::SessionMismatch,
            "the entity tag is not that of the present ICE session",
        ));
    }
    let patched = match fragment.credentials {
        Some((user, password)) if is_new(&ice.offer, user, password) => {
            restart(service, &session, &mut ice, user, password, &fragment).await
        }
        _ => trickle(service, &session, &fragment).await,
    };
    drop(ice);
    if patched.as_ref().is_err_and(is_over) {
        service.sessions.remove(name);
        return Err(gone());
    }
    patched
}

/// What `If-Match` asks for (RFC 9110, section 13.1.1).
pub(crate) enum Condition<'a> {
    Any,
    One(&'a str),
}

impl Condition<'_> {
    pub(crate) fn is_met(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            // Strong comparison: a weak tag is none of ours.
            Self::One(list) => list.split(',').any(|one| one.trim() == tag),
        }
    }
}

pub(crate) fn condition(headers: &HeaderMap) -> Result<Condition<'_>, Problem> {
    let missing = || {
        Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            ErrorReason::FieldInvalid,
            "send If-Match with the entity tag of the ICE session, or `*` to restart it",
        )
    };
    let value = headers.get(IF_MATCH).ok_or_else(missing)?;
    match value.to_str().map_err(|_| missing())?.trim() {
        // The quotes are in an example of the RFC.
        "*" | "\"*\"" => Ok(Condition::Any),
        list => Ok(Condition::One(list)),
    }
}

/// Whether a client's credentials are others than those it has.
fn is_new(offer: &str, user: &str, password: &str) -> bool {
    offer::attribute(offer, "ice-ufrag") != Some(user)
        || offer::attribute(offer, "ice-pwd") != Some(password)
}

async fn trickle(
    service: &Service,
    session: &Session,
    fragment: &Fragment<'_>,
) -> Result<Response<Body>, Problem> {
    let ends = fragment.ends.then_some("");
    for candidate in fragment.candidates.iter().copied().chain(ends) {
        let media = session.media.clone();
        let added = service
            .entrance
            .add_candidate(&session.grant, media, candidate.to_owned());
        match added.await.map_err(Problem::from) {
            Ok(()) => {}
            // One that means nothing to us is passed over in silence (RFC 9725, section 4.3.2): of a
            // transport that there is not, of a name that is not resolved, or one too many.
            Err(problem)
                if matches!(
                    problem.reason(),
                    ErrorReason::IceCandidateMalformed | ErrorReason::IceCandidateLimitReached
                ) => {}
            Err(problem) => return Err(problem),
        }
    }
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Restarts ICE. If it cannot be, the session goes on as it is.
async fn restart(
    service: &Service,
    session: &Session,
    ice: &mut Ice,
    user: &str,
    password: &str,
    fragment: &Fragment<'_>,
) -> Result<Response<Body>, Problem> {
    let offer = offer::restarted(&ice.offer, user, password);
    let media = session.media.clone();
    let renegotiated = service
        .entrance
        .renegotiate(&session.grant, media, offer.clone());
    let answer = renegotiated.await?;
    let body = fragment::of_answer(&answer).ok_or_else(Problem::internal)?;
    ice.offer = offer;
    ice.tag = new_tag();
    // They are only a help: a client that is at an address of its own is found without them.
    let _ = trickle(service, session, fragment).await;
    let mut response = with_text(StatusCode::OK, FRAGMENT, body);
    response.headers_mut().insert(ETAG, header(&ice.tag)?);
    Ok(response)
}
