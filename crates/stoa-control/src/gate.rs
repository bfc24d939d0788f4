//! What every call passes through, whichever transport it came by: a span in the log, its deadline,
//! its credential, and on the way out an error that always has a reason.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Request, Response};
use stoa_api::v1::ErrorReason;
use stoa_h3::{PeerInfo, TakenBy};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body, service::Routes};
use tower::{Service, ServiceExt as _};
use tracing::Instrument as _;

use crate::{
    authenticate::{self, Caller, invalid_credential},
    calls::Calls,
    config::ControlConfig,
    connections::{CallPlace, Place},
    deadline::{Deadlines, EndingBody, Witness, is_streaming},
    ended::{CallObserver, Observed},
    entrance::Entrance,
    errors::{Failure, complete},
    handle::ControlHandle,
    lifecycle::{Lifecycle, Phase},
    media::BoxFuture,
    settings::Current,
    tenants::quota_reached,
};

/// What a participant with a join token may ask for; for themselves alone, as the handlers see to.
const GUEST_METHODS: [&str; 4] = [
    "/stoa.control.v1.Rooms/Join",
    "/stoa.control.v1.Rooms/Renegotiate",
    "/stoa.control.v1.Rooms/AddIceCandidate",
    "/stoa.control.v1.Rooms/RemoveParticipant",
];

/// The services behind the gate. Clones share everything.
#[derive(Clone)]
pub(crate) struct Gate {
    routes: Routes,
    shared: Arc<Shared>,
    /// The connection's that calls come by.
    place: Option<Arc<Place>>,
}

struct Shared {
    current: Current,
    entrance: Entrance,
    lifecycle: Lifecycle,
    calls: Calls,
    longest_call: Duration,
    message_bytes: usize,
    observer: Option<CallObserver>,
}

impl Gate {
    pub(crate) fn new(
        routes: Routes,
        entrance: Entrance,
        handle: &ControlHandle,
        config: &ControlConfig,
    ) -> Self {
        let shared = Shared {
            current: handle.current.clone(),
            entrance,
            lifecycle: handle.lifecycle.clone(),
            calls: handle.calls.clone(),
            longest_call: config.transport.call,
            message_bytes: config.transport.message_bytes,
            observer: config.on_call_ended.clone(),
        };
        Self {
            routes: routes.prepare(),
            shared: Arc::new(shared),
            place: None,
        }
    }

    /// The same for the calls of one connection.
    pub(crate) fn of(&self, place: Arc<Place>) -> Self {
        Self {
            place: Some(place),
            ..self.clone()
        }
    }
}

impl<B> Service<Request<B>> for Gate
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self {
            routes,
            shared,
            place,
        } = self.clone();
        let path = request.uri().path().to_owned();
        // Nobody but the node makes words of the log.
        let method = shared.calls.method(&path);
        let span = tracing::info_span!("call", method, caller = tracing::field::Empty);
        if let Some(peer) = request.extensions().get::<PeerInfo>() {
            let client = peer.remote_address;
            tracing::debug!(parent: &span, %client, "begins");
        }
        let observed = shared.observer.as_ref();
        let observed = observed.map(|observer| Observed::new(observer, &request));
        let record = Record {
            span: span.clone(),
            path: path.clone(),
            calls: shared.calls.clone(),
            begin: Instant::now(),
            status: None,
            observed,
            call_place: None,
        };
        let call = pass(routes, shared, place, request.map(Body::new), path, record);
        Box::pin(call.map(Ok).instrument(span))
    }
}

async fn pass(
    routes: Routes,
    shared: Arc<Shared>,
    place: Option<Arc<Place>>,
    mut request: Request<Body>,
    path: String,
    mut record: Record,
) -> Response<Body> {
    let admitted = shared.admit(&mut request, &path, &record.span);
    let caller = request.extensions().get::<Caller>().cloned();
    let seated = seated(admitted, caller.as_ref(), place.as_deref(), &path);
    let (admitted, call_place) = match seated {
        Ok((deadlines, call_place)) => (Ok(deadlines), call_place),
        Err(failure) => (Err(failure), None),
    };
    let (response, end) = match admitted {
        Ok(deadlines) => (answer(routes, request, deadlines).await, deadlines.end),
        Err(failure) => (failure.into_http(), None),
    };
    let mut response = complete(response, shared.message_bytes);
    record.trailers(response.headers());
    if let Some(call_place) = call_place {
        record.call_place = Some(Arc::clone(&call_place));
        // Whoever sends the answer keeps it until the client has taken that.
        response.extensions_mut().insert(call_place);
    }
    if !is_streaming(&path) {
        let by = Instant::now() + shared.longest_call;
        response.extensions_mut().insert(TakenBy(by));
    }
    let over: Option<BoxFuture<'static, Failure>> = match is_streaming(&path) {
        true => Some(Box::pin(shared.over(caller))),
        false => None,
    };
    response.map(|body| match http_body::Body::is_end_stream(&body) {
        true => Body::empty(),
        false => Body::new(EndingBody::new(body, end, over, record)),
    })
}

/// Whether the call may go on by the connection that it came by: one of the caller's tenant's, which has not too many
/// calls under way, or one that has shown no credential and has few. Watches are counted elsewhere.
fn seated(
    admitted: Result<Deadlines, Failure>,
    caller: Option<&Caller>,
    place: Option<&Place>,
    path: &str,
) -> Result<(Deadlines, Option<CallPlace>), Failure> {
    let Some(place) = place else {
        return admitted.map(|deadlines| (deadlines, None));
    };
    let deadlines = admitted.inspect_err(|_| place.refuse())?;
    let Some(caller) = caller else {
        let call = place.strangers_call().ok_or_else(|| {
            place.refuse();
            Failure::overloaded(
                "too many calls without a credential at the same time on one connection",
            )
        })?;
        return Ok((deadlines, Some(call)));
    };
    let claimed = place.claim(caller.tenant());
    claimed.map_err(|_crowded| {
        let most = place.of_tenant(caller.tenant());
        let message =
            format!("the tenant has {most} connections, the most that it may; this one is closed");
        quota_reached("connections", most, message)
    })?;
    if is_streaming(path) {
        return Ok((deadlines, None));
    }
    let call = place.callers_call().ok_or_else(|| {
        let message =
            "the tenant has as many calls under way as it may; take the answers to those first";
        Failure::overloaded(message)
    })?;
    Ok((deadlines, Some(call)))
}

impl Shared {
    fn admit(
        &self,
        request: &mut Request<Body>,
        path: &str,
        span: &tracing::Span,
    ) -> Result<Deadlines, Failure> {
        let deadlines = Deadlines::of(request.headers(), path, self.longest_call)?;
        let peer = request.extensions().get::<PeerInfo>();
        let caller = self
            .current
            .get()
            .authenticator
            .caller(path, request.headers(), peer);
        let caller = match (caller, authenticate::token(request.headers())) {
            (Err(failure), Some(token))
                if failure.reason == ErrorReason::CredentialInvalid
                    && self.entrance.takes_tokens() =>
            {
                Some(self.guest(token, path, peer)?)
            }
            (caller, _) => caller.map_err(|failure| self.refuse(failure, peer))?,
        };
        if let Some(caller) = caller {
            span.record("caller", caller.as_str());
            request.extensions_mut().insert(caller);
        }
        Ok(deadlines)
    }

    /// Why a stream has to end, once it has to.
    fn over(&self, caller: Option<Caller>) -> impl Future<Output = Failure> + Send + 'static {
        let stopping = self.lifecycle.reached(Phase::Stopping);
        let revoked = caller.map(|caller| self.current.revoked(caller));
        async move {
            let revoked = async {
                match revoked {
                    Some(revoked) => revoked.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stopping => Failure::draining(),
                () = revoked => invalid_credential(),
            }
        }
    }

    /// A participant with a good token, if they ask for what such a one may.
    fn guest(&self, token: &str, path: &str, peer: Option<&PeerInfo>) -> Result<Caller, Failure> {
        let source = peer.map(|peer| peer.remote_address.expose().ip());
        let grant = self.entrance.grant(token, source)?;
        match GUEST_METHODS.contains(&path) {
            true => Ok(Caller::guest(grant)),
            false => Err(Failure::not_sufficient(
                "a join token is for Join, and for Renegotiate, AddIceCandidate and RemoveParticipant of \
                 oneself",
            )),
        }
    }

    /// A bad credential costs its source: after too many the answer is another one, whatever is tried.
    fn refuse(&self, failure: Failure, peer: Option<&PeerInfo>) -> Failure {
        let (Some(peer), true) = (peer, failure.reason == ErrorReason::CredentialInvalid) else {
            return failure;
        };
        let source = peer.remote_address.expose().ip();
        let blocked = self.entrance.blocked(source).err();
        self.entrance.refused_from(source);
        blocked.unwrap_or(failure)
    }
}

/// What the handler answers, in time and whatever it does.
async fn answer(routes: Routes, request: Request<Body>, deadlines: Deadlines) -> Response<Body> {
    let call = AssertUnwindSafe(routes.oneshot(request)).catch_unwind();
    match timeout_at(deadlines.begin, call).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a handler panicked");
            Failure::internal().into_http()
        }
        Err(_elapsed) => Failure::deadline().into_http(),
    }
}

/// Counts the call when it is over, and writes one line about it.
struct Record {
    span: tracing::Span,
    path: String,
    calls: Calls,
    begin: Instant,
    status: Option<Status>,
    /// If somebody wants to be told.
    observed: Option<Observed>,
    /// Counts it for as long as it is under way.
    call_place: Option<CallPlace>,
}

impl Witness for Record {
    fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(trailers) {
            self.status = Some(status);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.begin.elapsed();
        let outcome = self.calls.count(&self.path, self.status.as_ref(), took);
        if let Some(observed) = &self.observed {
            observed.end(&outcome, took);
        }
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match self.status.as_ref().map(Status::code) {
            Some(code) => tracing::debug!(parent: &self.span, ?code, took_ms, "ends"),
            None => tracing::debug!(parent: &self.span, took_ms, "was given up by the caller"),
        }
    }
}
