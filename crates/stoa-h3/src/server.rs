//! The server's side of one connection.

mod body;
mod peer;
mod request;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use h3::error::{Code, ConnectionError};
use http::{Request, Response};
use http_body::Body;
use quinn::VarInt;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tower::Service;

pub use body::RequestBody;
pub use peer::PeerInfo;
pub use request::TakenBy;

use crate::error::{BoxError, ConnectionLost};
use crate::limits::{ServerLimits, frame_payload_limit};
use crate::quic::{self, BidiStream};
use request::Outcome;

type H3Connection = h3::server::Connection<quic::Connection, Bytes>;

/// Why a connection ended in another way than by a shutdown or an orderly goodbye.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The connection was lost, or closed with an error by either side.
    #[error("the connection ended with an error")]
    Connection(#[source] ConnectionLost),
    /// The client never let this side open its control streams.
    #[error("the HTTP/3 connection was not set up within {0:?}")]
    Setup(Duration),
    /// More requests broke than [`broken_requests`](ServerLimits::broken_requests) allows.
    #[error("more than {limit} requests broke")]
    TooManyBroken {
        /// The limit that was exceeded.
        limit: usize,
    },
}

/// Serves the requests of one connection until it ends or `shutdown` completes.
///
/// Every request runs in a task of its own and carries a [`PeerInfo`] among its extensions. Its
/// handler and the response's body are dropped at once when the client gives the request up. A
/// response's body that fails resets the stream with `H3_INTERNAL_ERROR`; a handler that panics does
/// the same, and nothing else is touched.
///
/// After `shutdown` the client is told (GOAWAY), new requests are rejected, those in flight may end
/// within [`shutdown_grace`](ServerLimits::shutdown_grace), and the connection is closed with
/// `H3_NO_ERROR`; wait for the endpoint to become idle to have that reach the client.
///
/// When this returns, the connection is closed and no handler of it runs any more. When it is dropped,
/// the connection is closed too, and the handlers are dropped as soon as the runtime gets to it.
///
/// # Errors
/// [`ServeError`] when the connection ended otherwise than by `shutdown`, by the client closing it
/// without an error, or by the client's GOAWAY.
pub async fn serve_connection<S, B>(
    connection: quinn::Connection,
    service: S,
    limits: ServerLimits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let mut serving = Serving {
        h3: set_up(&connection, &limits).await?,
        connection,
        service,
        limits,
        requests: JoinSet::new(),
        broken: 0,
    };
    let result = serving.run(shutdown).await;
    // Waits until the tasks are gone; each resets what it had not finished.
    serving.requests.shutdown().await;
    let code = match &result {
        Err(ServeError::TooManyBroken { .. }) => Code::H3_EXCESSIVE_LOAD,
        _ => Code::H3_NO_ERROR,
    };
    serving.connection.close(close_code(code), b"");
    result
}

async fn set_up(
    connection: &quinn::Connection,
    limits: &ServerLimits,
) -> Result<H3Connection, ServeError> {
    let frame_limit = frame_payload_limit(limits.field_section_size);
    let transport = quic::Connection::new(connection.clone(), frame_limit);
    let mut builder = h3::server::builder();
    builder
        .max_field_section_size(u64::from(limits.field_section_size))
        // Frames and streams that mean nothing cost every client and show us nothing.
        .send_grease(false);
    match timeout(limits.header_timeout, builder.build(transport)).await {
        Ok(built) => built.map_err(|error| ServeError::Connection(error.into())),
        Err(_) => {
            connection.close(close_code(Code::H3_GENERAL_PROTOCOL_ERROR), b"set-up");
            Err(ServeError::Setup(limits.header_timeout))
        }
    }
}

/// One connection at work.
struct Serving<S> {
    h3: H3Connection,
    connection: quinn::Connection,
    service: S,
    limits: ServerLimits,
    requests: JoinSet<Outcome>,
    /// Requests that left something behind; see [`ServerLimits::broken_requests`].
    broken: usize,
}

impl<S, B> Serving<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn run(&mut self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let mut shutdown = pin!(shutdown);
        loop {
            // What is not accepted waits in the transport, within its own limits.
            let room = self.requests.len() < self.limits.concurrent_requests;
            tokio::select! {
                accepted = accept(&mut self.h3), if room => match accepted {
                    Ok(Some(stream)) => self.admit(stream),
                    // The client said GOAWAY and has no request open.
                    Ok(None) => break,
                    Err(error) => return ended(error),
                },
                Some(done) = self.requests.join_next() => self.note(done),
                () = &mut shutdown => break,
            }
            self.check_broken()?;
        }
        match timeout(self.limits.shutdown_grace, self.drain()).await {
            Ok(drained) => drained,
            Err(_) => {
                let left = self.requests.len();
                tracing::info!(left, "requests were still in flight after the grace");
                Ok(())
            }
        }
    }

    fn admit(&mut self, stream: BidiStream) {
        let peer = PeerInfo::of(&self.connection);
        let header_timeout = self.limits.header_timeout;
        let service = self.service.clone();
        let accepted = request::Accepted::new(&self.h3, stream);
        self.requests
            .spawn(accepted.serve(service, peer, header_timeout));
    }

    fn note(&mut self, done: Result<Outcome, JoinError>) {
        match done {
            Ok(Outcome::Broken) => self.broken += 1,
            Ok(Outcome::Served | Outcome::Cancelled) => {}
            Err(error) if error.is_panic() => {
                self.broken += 1;
                tracing::error!("a handler panicked");
            }
            // Tasks are only ever aborted after the last look at them.
            Err(_) => {}
        }
    }

    fn check_broken(&self) -> Result<(), ServeError> {
        let limit = self.limits.broken_requests;
        if self.broken > limit {
            return Err(ServeError::TooManyBroken { limit });
        }
        Ok(())
    }

    /// Says GOAWAY, then waits for the requests in flight, rejecting whatever else comes.
    async fn drain(&mut self) -> Result<(), ServeError> {
        // h3 names the last request it accepted; the frame is to name the first that is not
        // (RFC 9114 section 5.2), which is one more.
        if let Err(error) = self.h3.shutdown(1).await {
            return ended(error);
        }
        let mut accepting = true;
        while !self.requests.is_empty() {
            tokio::select! {
                accepted = accept(&mut self.h3), if accepting => match accepted {
                    Ok(Some(stream)) => stream.reject(),
                    Ok(None) => accepting = false,
                    Err(error) => return ended(error),
                },
                Some(done) = self.requests.join_next() => self.note(done),
            }
        }
        Ok(())
    }
}

/// The next request's stream. Cancel-safe: nothing is taken before it is returned.
async fn accept(h3: &mut H3Connection) -> Result<Option<BidiStream>, ConnectionError> {
    poll_fn(|cx| h3.poll_accept_request_stream(cx)).await
}

fn ended(error: ConnectionError) -> Result<(), ServeError> {
    let lost = ConnectionLost::from(error);
    if lost.is_clean() {
        Ok(())
    } else {
        Err(ServeError::Connection(lost))
    }
}

fn close_code(code: Code) -> VarInt {
    VarInt::from_u64(code.value()).expect("HTTP/3's own codes are small")
}
