//! The ops port itself.

use std::{
    net::{SocketAddr, TcpListener},
    ops::RangeInclusive,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use stoa_control::one_ended;
use stoa_core::TenantId;
use tokio::task::JoinSet;

use crate::{
    connections::{self, Limits},
    debug::{self, NotShown},
    health,
    key::OpsKey,
    metrics::Metrics,
    node::Node,
};

/// How far away the deadline of a drain may be. A node that is to drain for longer than a week has no deadline.
const DEADLINE_SECONDS: RangeInclusive<u64> = 1..=7 * 86_400;

/// What the ops port is told.
#[derive(Debug, Clone, Default)]
pub struct OpsConfig {
    /// Where to listen. The port is not encrypted and shows what the node does: a private address.
    pub listen: Vec<SocketAddr>,
    /// The key for `/drain`, `/undrain` and `/debug`. `None`: nobody may.
    pub key: Option<OpsKey>,
    /// Who shares the node.
    pub tenants: Vec<TenantId>,
    /// The daemon's version.
    pub version: String,
}

/// Why the ops port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is in use, or not this machine's.
    #[error("ops port {address}: {error}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The operating system's reason.
        error: std::io::Error,
    },
}

/// The ops port, bound to its addresses and not serving yet.
pub struct OpsServer {
    listeners: Vec<TcpListener>,
    version: String,
    handle: OpsHandle,
}

/// Changes a running [`OpsServer`]. Clones are the same handle.
#[derive(Clone)]
pub struct OpsHandle(Arc<RwLock<Arc<Access>>>);

/// Who may what.
struct Access {
    key: Option<OpsKey>,
    tenants: Vec<TenantId>,
}

impl OpsHandle {
    fn new(key: Option<OpsKey>, tenants: Vec<TenantId>) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Access { key, tenants }))))
    }

    /// Takes this key, and knows these tenants, from the next request on.
    pub fn set(&self, key: Option<OpsKey>, tenants: Vec<TenantId>) {
        let access = Arc::new(Access { key, tenants });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = access;
    }

    fn get(&self) -> Arc<Access> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl OpsServer {
    /// Binds every address.
    ///
    /// # Errors
    /// [`BindError`] names the address.
    pub fn bind(config: OpsConfig) -> Result<Self, BindError> {
        let bind = |address: &SocketAddr| {
            let wrong = |error| BindError::Address {
                address: *address,
                error,
            };
            let listener = TcpListener::bind(address).map_err(wrong)?;
            listener.set_nonblocking(true).map_err(wrong)?;
            Ok(listener)
        };
        let listeners = config.listen.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Self {
            listeners,
            version: config.version,
            handle: OpsHandle::new(config.key, config.tenants),
        })
    }

    /// Changes the server, also while it serves.
    pub fn handle(&self) -> OpsHandle {
        self.handle.clone()
    }

    /// The addresses that are bound, in the order of the configuration, with the ports that were picked.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let listeners = self.listeners.iter();
        listeners
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Serves until `shutdown` completes. Must be called within a tokio runtime. It returns early only after a fault of
    /// its own, which is logged as an error.
    pub async fn serve(self, node: Node, shutdown: impl Future<Output = ()>) {
        let shared = Shared {
            metrics: Metrics::new(&self.version, &node),
            access: self.handle,
            node,
        };
        let router = routes(Arc::new(shared));
        let mut servers = JoinSet::new();
        for listener in self.listeners {
            let listener = match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, "the ops port cannot be served"),
            };
            let served = connections::serve(listener, router.clone(), Limits::default());
            servers.spawn(served);
        }
        tokio::select! {
            () = shutdown => {}
            () = one_ended(&mut servers, "the ops port") => {}
        }
        servers.shutdown().await;
    }
}

struct Shared {
    node: Node,
    metrics: Metrics,
    access: OpsHandle,
}

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/debug/rooms/{id}", get(debug_room))
        .route("/drain", post(drain))
        .route("/undrain", post(undrain))
        .fallback(|| async {
            let paths =
                "there are /livez, /readyz, /metrics, /debug/rooms/ID, /drain and /undrain\n";
            (StatusCode::NOT_FOUND, paths)
        })
        .with_state(shared)
}

/// The body of a probe's answer.
#[derive(Serialize)]
struct Verdict {
    status: &'static str,
    reasons: Vec<String>,
    /// How full the node is: no reason to take it for dead, or out of the way of calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
}

fn verdict(reasons: Vec<String>, level: Option<&'static str>) -> Response {
    let (code, status) = match reasons.is_empty() {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ok"),
    };
    let verdict = Verdict {
        status,
        reasons,
        level,
    };
    (code, Json(verdict)).into_response()
}

async fn livez(State(shared): State<Arc<Shared>>) -> Response {
    let workers = shared.node.media.status();
    verdict(health::faults(&workers, Instant::now()), None)
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let workers = shared.node.media.status();
    let is_draining = shared.node.control.is_draining();
    let report = shared.node.control.capacity();
    let level = report.map(|report| report.level.name());
    verdict(
        health::obstacles(&workers, Instant::now(), is_draining),
        level,
    )
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    match shared.metrics.text(&shared.node) {
        Ok(text) => {
            let text_format = [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)];
            (text_format, text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whose room it is.
#[derive(Deserialize)]
struct Whose {
    tenant: Option<String>,
}

async fn debug_room(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
) -> Response {
    // It shows who is in the room.
    if let Some(refusal) = shared.refuse(&headers) {
        return refusal;
    }
    let room = match debug::room_of(&shared.access.get().tenants, whose.tenant.as_deref(), &id) {
        Ok(room) => debug::show(&shared.node.media, room).await,
        Err(error) => Err(error),
    };
    let error = match room {
        Ok(room) => return Json(room).into_response(),
        Err(error) => error,
    };
    let code = match error {
        NotShown::WhichTenant => StatusCode::BAD_REQUEST,
        NotShown::NotFound => StatusCode::NOT_FOUND,
        NotShown::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, format!("{error}\n")).into_response()
}

/// Until when.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    deadline_seconds: Option<u64>,
}

async fn drain(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    until: Result<Query<Until>, QueryRejection>,
) -> Response {
    if let Some(refusal) = shared.refuse(&headers) {
        return refusal;
    }
    let seconds = match until {
        Ok(Query(Until { deadline_seconds })) => deadline_seconds,
        Err(wrong) => return (StatusCode::BAD_REQUEST, format!("{wrong}\n")).into_response(),
    };
    if seconds.is_some_and(|seconds| !DEADLINE_SECONDS.contains(&seconds)) {
        let (least, most) = DEADLINE_SECONDS.into_inner();
        let why = format!("deadline_seconds: must be {least} to {most}\n");
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let deadline = seconds.map(|seconds| SystemTime::now() + Duration::from_secs(seconds));
    if !shared.node.control.start_draining(deadline) {
        let why = "the node is about to stop, and has told when\n";
        return (StatusCode::CONFLICT, why).into_response();
    }
    tracing::info!(deadline_seconds = seconds, "draining, by the ops port");
    (StatusCode::OK, "nothing new is taken from now on\n").into_response()
}

async fn undrain(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = shared.refuse(&headers) {
        return refusal;
    }
    match shared.node.control.stop_draining() {
        true => {
            tracing::info!("serving again, by the ops port");
            (StatusCode::OK, "everything is taken again\n").into_response()
        }
        false => (StatusCode::CONFLICT, "the node is about to stop\n").into_response(),
    }
}

impl Shared {
    /// The answer to a caller who may not change anything.
    fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let Some(key) = self.access.get().key else {
            let why = "the configuration has no ops.key_sha256, so nobody may\n";
            return Some((StatusCode::FORBIDDEN, why).into_response());
        };
        let shown = headers.get(header::AUTHORIZATION);
        match shown.is_some_and(|header| key.is_shown_by(header.as_bytes())) {
            true => None,
            false => {
                let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
                let why = "send the ops key as `authorization: Bearer KEY`\n";
                Some((StatusCode::UNAUTHORIZED, challenge, why).into_response())
            }
        }
    }
}
