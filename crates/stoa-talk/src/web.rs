//! The routes: the page, its files, the WebSocket, and whether this service is alive.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{
        ConnectInfo, DefaultBodyLimit, Request, State, rejection::JsonRejection,
        ws::WebSocketUpgrade,
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use serde::Serialize;

use crate::{
    admin, entrance, limits, look, origin, page,
    problem::Problem,
    protocol::{AtEntrance, Look, OfAdministrator},
    socket,
    sources::Source,
    talk::Talk,
};

/// What the page may do: load its own files, talk to its own host, and nothing else. `connect-src
/// 'self'` includes the WebSocket of the same host and port.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // The address is the invitation: it is told to nobody.
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "microphone=(self), camera=(), geolocation=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    // The files' names do not change with their content.
    (header::CACHE_CONTROL, "no-cache"),
];

/// All routes of one service.
pub(crate) fn router(talk: Arc<Talk>) -> Router {
    let mut router = Router::new();
    for file in &page::FILES {
        let answer =
            move || async move { ([(header::CONTENT_TYPE, file.content_type)], file.text) };
        router = router.route(file.path, get(answer));
    }
    router
        .route("/ws", get(open_socket))
        .route(
            "/look",
            post(answer_look).layer(DefaultBodyLimit::max(limits::MAX_LOOK_BYTES)),
        )
        .route(
            "/entrance",
            post(answer_entrance).layer(DefaultBodyLimit::max(limits::MAX_ENTRANCE_BYTES)),
        )
        .route(
            "/admin",
            get(|| async {
                (
                    [(header::CONTENT_TYPE, page::ADMIN.content_type)],
                    page::ADMIN.text,
                )
            })
            .post(answer_administrator)
            .layer(DefaultBodyLimit::max(limits::MAX_ENTRANCE_BYTES)),
        )
        .route("/healthz", get(health))
        .layer(middleware::from_fn(add_headers))
        .with_state(talk)
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn health(State(talk): State<Arc<Talk>>) -> Json<serde_json::Value> {
    Json(talk.status())
}

async fn answer_look(
    State(talk): State<Arc<Talk>>,
    question: Result<Json<Look>, JsonRejection>,
) -> Response {
    let answer = match understood(question) {
        Ok(question) => look::look(&talk, question).await,
        Err(problem) => Err(problem),
    };
    respond(&talk, answer)
}

async fn answer_entrance(
    State(talk): State<Arc<Talk>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    question: Result<Json<AtEntrance>, JsonRejection>,
) -> Response {
    let source = Source::of(peer, &headers, talk.is_behind_proxy());
    let answer = match understood(question) {
        Ok(question) => entrance::answer(&talk, source, question).await,
        Err(problem) => Err(problem),
    };
    respond(&talk, answer)
}

async fn answer_administrator(
    State(talk): State<Arc<Talk>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    question: Result<Json<OfAdministrator>, JsonRejection>,
) -> Response {
    let source = Source::of(peer, &headers, talk.is_behind_proxy());
    let answer = match understood(question) {
        Ok(question) => admin::answer(&talk, source, question).await,
        Err(problem) => Err(problem),
    };
    respond(&talk, answer)
}

fn understood<T>(question: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    let Json(question) =
        question.map_err(|rejection| Problem::invalid("MESSAGE_INVALID", rejection.body_text()))?;
    Ok(question)
}

fn respond(talk: &Talk, answer: Result<impl Serialize, Problem>) -> Response {
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(problem) => {
            talk.stats().refused(problem.reason());
            (StatusCode::BAD_REQUEST, Json(problem)).into_response()
        }
    }
}

async fn open_socket(
    State(talk): State<Arc<Talk>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !origin::is_own(&headers) {
        return (
            StatusCode::FORBIDDEN,
            "this origin may not open sockets here\n",
        )
            .into_response();
    }
    let Ok(permit) = Arc::clone(talk.sockets()).try_acquire_owned() else {
        talk.stats().turned_away();
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "too many sockets are open\n",
        )
            .into_response();
    };
    upgrade
        .max_message_size(limits::MAX_FRAME_BYTES)
        .max_frame_size(limits::MAX_FRAME_BYTES)
        .on_upgrade(move |socket| async move {
            socket::serve(socket, talk).await;
            drop(permit);
        })
}
