//! POST: somebody enters, with an offer that sends (WHIP) or only receives (WHEP).

use http::{
    Response, StatusCode,
    header::{ETAG, LINK, LOCATION},
    request::Parts,
};
use hyper::body::Incoming;
use stoa_api::v1::ErrorReason;
use stoa_control::{Entrance, Entry};
use stoa_core::{AudioMode, Role, SessionId};
use stoa_token::{Grant, Publish};

use crate::{
    limits,
    message::{ACCEPT_PATCH, ACCEPT_POST, FRAGMENT, SDP, header, text, token, with_text},
    offer,
    problem::{Body, Problem},
    service::{Service, Via},
    sessions::Session,
};

/// What one enters by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// To be heard.
    Whip,
    /// To listen.
    Whep,
}

/// Lets somebody in. On an error nothing was made.
pub(crate) async fn enter(
    service: &Service,
    parts: &Parts,
    body: Incoming,
    via: &Via,
    endpoint: Endpoint,
    room: Option<&str>,
) -> Result<Response<Body>, Problem> {
    let token = token(&parts.headers)?;
    // Before the body is read: who has no good token sends nothing that is kept.
    let mut grant = service.grant(token, via)?;
    if room.is_some_and(|room| room != grant.room.name()) {
        return Err(Problem::not_sufficient(
            "the join token is for another room",
        ));
    }
    let offer = text(parts, body, SDP, limits::OFFER_BYTES, ACCEPT_POST).await?;
    let entry = entry(endpoint, &mut grant, &offer)?;
    let place = service.sessions.reserve().ok_or_else(full)?;
    let joined = service.entrance.enter(&grant, entry).await;
    let joined = joined.map_err(|failure| match failure.reason() {
        // A token that is good once and was used.
        ErrorReason::TokenInvalid => Problem::token(),
        _ => failure.into(),
    })?;
    let session = joined.participant.map(|participant| participant.session_id);
    let session = session.and_then(|session| SessionId::new(&session).ok());
    let session = session.ok_or_else(Problem::internal)?;
    let session = Session::new(grant, session, token, offer);
    let tag = session
        .ice
        .try_lock()
        .map(|ice| ice.tag.clone())
        .unwrap_or_default();
    let name = place.fill(session);

    let mut response = with_text(StatusCode::CREATED, SDP, joined.sdp_answer);
    let headers = response.headers_mut();
    headers.insert(LOCATION, header(&format!("/session/{}", name.as_str()))?);
    headers.insert(ETAG, header(&tag)?);
    headers.insert(ACCEPT_PATCH, header(FRAGMENT)?);
    for server in &service.pages().ice_servers {
        headers.append(LINK, server.link().clone());
    }
    Ok(response)
}

/// With what somebody enters by this way, and what of their grant it needs.
fn entry(endpoint: Endpoint, grant: &mut Grant, offer: &str) -> Result<Entry, Problem> {
    let ways = offer::ways(offer);
    let unusable = |detail| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorReason::SdpUnusable,
            detail,
        )
    };
    let (role, audio_mode) = match endpoint {
        Endpoint::Whip => {
            if grant.publish.is_nothing() {
                return Err(Problem::not_sufficient(
                    "the join token grants to listen only",
                ));
            }
            if offer.contains("m=audio") && !ways.sends {
                return Err(unusable(
                    "no audio line of the offer sends; to listen, use /whep",
                ));
            }
            let mode = match grant.publish.audio {
                true => AudioMode::Speech,
                false => AudioMode::Music,
            };
            (None, mode)
        }
        Endpoint::Whep => {
            if ways.sends {
                return Err(unusable(
                    "an audio line of the offer sends; to be heard, use /whip",
                ));
            }
            grant.publish = Publish::default();
            (Some(Role::Listener), AudioMode::Speech)
        }
    };
    Ok(Entry {
        role,
        audio_mode,
        ..Entry::new(offer.to_owned())
    })
}

fn full() -> Problem {
    let detail = format!(
        "{} sessions are open over HTTP, the most there may be",
        limits::SESSIONS
    );
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        ErrorReason::NodeOverloaded,
        detail,
    )
}

/// Whether a session is still there.
pub(crate) fn is_in(entrance: &Entrance, session: &Session) -> bool {
    entrance.is_in(&session.grant, &session.media)
}
