//! One request, from its accepted stream to its delivered response.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use h3::error::Code;
use http::{Extensions, Request, Response};
use http_body::Body;
use tokio::time::{Instant, timeout, timeout_at};
use tower::{Service, ServiceExt};

use super::body::{Read, RequestBody, RequestInbound, request_body};
use super::{H3Connection, PeerInfo};
use crate::error::{BoxError, TransportError};
use crate::message::{Inbound, SendError, send_body, strip_connection_fields};
use crate::quic::{self, BidiStream, SendStream, StreamWatch};

type Resolver = h3::server::RequestResolver<quic::Connection, Bytes>;
type ResponseStream = h3::server::RequestStream<SendStream, Bytes>;

/// An extension of a response: by when the client has to have taken all of it. Where it has not, the stream is reset
/// with `H3_REQUEST_CANCELLED`. Without it a client may take as long as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBy(pub Instant);

/// How a request ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The client has the whole response.
    Served,
    /// The client stopped the response, or is gone.
    Cancelled,
    /// In any other way: its headers never came or were refused, it was reset without a word about
    /// the response, or the response failed. See [`ServerLimits`](crate::ServerLimits).
    Broken,
}

/// Why a client has not got its whole response.
enum Unanswered {
    /// It could not be sent.
    Unsent(SendError),
    /// The client did not take it in time; see [`TakenBy`].
    NotTaken,
}

/// A request whose headers have not been read.
pub(super) struct Accepted {
    resolver: Resolver,
    watch: StreamWatch,
}

impl Accepted {
    pub(super) fn new(h3: &H3Connection, stream: BidiStream) -> Self {
        let watch = stream.watch();
        let stream = h3::frame::FrameStream::new(h3::stream::BufRecvStream::new(stream));
        Self {
            resolver: h3.create_resolver(stream),
            watch,
        }
    }

    /// Serves the request to its end. Dropping the future resets what is not finished.
    pub(super) async fn serve<S, B>(
        self,
        service: S,
        peer: PeerInfo,
        header_timeout: Duration,
    ) -> Outcome
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let (head, stream) = match timeout(header_timeout, self.resolver.resolve_request()).await {
            Ok(Ok(resolved)) => resolved,
            Ok(Err(error)) => {
                let error = TransportError::from(error);
                tracing::debug!(%error, "a request was refused before its handler");
                return Outcome::Broken;
            }
            Err(_) => {
                tracing::debug!("a request's headers took too long");
                return Outcome::Broken;
            }
        };
        self.watch.resolved();
        let (mut response_watch, request_watch) = self.watch.split();
        let (mut out, inbound) = stream.split();
        let mut inbound: RequestInbound = Inbound::new(inbound);

        let (body, intake) = request_body(request_watch);
        let mut request = head.map(|()| body);
        request.extensions_mut().insert(peer);

        // The handler and what it answers with live in the one branch only, so that each of the
        // others drops them by winning.
        let answered = tokio::select! {
            biased;
            _ = response_watch.delivered() => return Outcome::Cancelled,
            () = cancelled(intake.run(&mut inbound)) => return Outcome::Broken,
            answered = answer(service, request, &mut out) => answered,
        };
        let (by, _until_it_is_taken) = match answered {
            Ok(answered) => answered,
            Err(error) => return fail(&mut out, error),
        };
        // A complete answer to a request that was not read to its end (RFC 9114 section 4.1).
        inbound.stop(Code::H3_NO_ERROR);
        // Closing the connection would lose what the client has not acknowledged.
        match in_time(by, response_watch.delivered()).await {
            Some(true) => Outcome::Served,
            Some(false) => Outcome::Cancelled,
            None => fail(&mut out, Unanswered::NotTaken),
        }
    }
}

/// Completes when the client gave up; a request that was read is no reason to stop.
async fn cancelled(intake: impl Future<Output = Read>) {
    match intake.await {
        Read::Cancelled => {}
        Read::Done => std::future::pending().await,
    }
}

/// Answers. What comes back with the time are the response's extensions, to be kept until the client has taken it all: a
/// service may count by them what is under way.
async fn answer<S, B>(
    service: S,
    request: Request<RequestBody>,
    out: &mut ResponseStream,
) -> Result<(Option<TakenBy>, Extensions), Unanswered>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let response = match service.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (mut head, body) = response.into_parts();
    let by = head.extensions.get::<TakenBy>().copied();
    let extensions = std::mem::take(&mut head.extensions);
    strip_connection_fields(&mut head.headers);
    let send = async {
        let sent = out.send_response(Response::from_parts(head, ())).await;
        sent.map_err(SendError::from)?;
        send_body(out, body).await
    };
    match in_time(by, send).await {
        Some(sent) => sent.map(|()| (by, extensions)).map_err(Unanswered::Unsent),
        None => Err(Unanswered::NotTaken),
    }
}

/// `None` where it is not there in time.
async fn in_time<T>(by: Option<TakenBy>, it: impl Future<Output = T>) -> Option<T> {
    match by {
        Some(TakenBy(at)) => timeout_at(at, it).await.ok(),
        None => Some(it.await),
    }
}

fn fail(out: &mut ResponseStream, why: Unanswered) -> Outcome {
    match why {
        Unanswered::NotTaken => {
            tracing::debug!("a response was not taken in time");
            out.stop_stream(Code::H3_REQUEST_CANCELLED);
            return Outcome::Broken;
        }
        Unanswered::Unsent(SendError::Body(error)) => {
            tracing::debug!(%error, "a response's body failed")
        }
        Unanswered::Unsent(SendError::Stream(
            TransportError::Reset { .. } | TransportError::Lost(_),
        )) => return Outcome::Cancelled,
        Unanswered::Unsent(SendError::Stream(error)) => {
            tracing::debug!(%error, "a response could not be sent")
        }
    }
    out.stop_stream(Code::H3_INTERNAL_ERROR);
    Outcome::Broken
}
