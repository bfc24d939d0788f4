//! The client's side of one connection.

mod body;
mod error;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h3::ConnectionState as _;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body::Body;
use tower::Service;

pub use body::ResponseBody;
pub use error::ChannelError;

use crate::error::{BoxError, ConnectionLost, TransportError};
use crate::limits::{FIELD_SECTION_SIZE, frame_payload_limit};
use crate::message::strip_connection_fields;
use crate::quic;
use body::Upload;

type SendRequest = h3::client::SendRequest<quic::OpenStreams, Bytes>;

/// The future of a response's headers; dropping it cancels the request.
pub type ChannelFuture =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, ChannelError>> + Send>>;

/// Sends requests over one HTTP/3 connection.
///
/// A clone is cheap and uses the same connection. Requests run at the same time, as many as the
/// server lets; further ones wait. A request's body is sent in a task of its own, so both
/// directions flow whether or not the other one does. Dropping the response's future, or its body
/// before the end, cancels the request at the server.
///
/// It is a [`Service`] as tonic's generated clients take it, with a [`ChannelError`] that tonic turns
/// into the right status. The scheme and authority of a request's URI are replaced.
///
/// The connection is closed with `H3_NO_ERROR` once the last clone and the last response's body are
/// gone. There is no reconnecting here: see [`is_closed`](Self::is_closed).
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

/// Lives as long as a channel or the body of a response: h3 closes the connection when its last
/// sender is dropped.
struct Shared {
    sender: SendRequest,
    connection: quinn::Connection,
    authority: Authority,
}

impl Channel {
    /// Begins HTTP/3 on a connection whose handshake agreed on [`ALPN`](crate::ALPN).
    ///
    /// `authority` is what the requests name as the server (`:authority`). Must be called within a
    /// tokio runtime: the connection is driven by a task that ends with it.
    ///
    /// # Errors
    /// [`TransportError::Lost`] when the connection ended in the meantime.
    pub async fn open(
        connection: quinn::Connection,
        authority: Authority,
    ) -> Result<Self, ChannelError> {
        let frame_limit = frame_payload_limit(FIELD_SECTION_SIZE);
        let transport = quic::Connection::new(connection.clone(), frame_limit);
        let (mut driver, sender) = h3::client::builder()
            .max_field_section_size(u64::from(FIELD_SECTION_SIZE))
            // Frames and streams that mean nothing cost every server and show us nothing.
            .send_grease(false)
            .build(transport)
            .await
            .map_err(|error| TransportError::Lost(error.into()))?;
        tokio::spawn(async move {
            let lost = ConnectionLost::from(poll_fn(|cx| driver.poll_close(cx)).await);
            tracing::debug!(%lost, "an HTTP/3 connection ended");
        });
        Ok(Self {
            shared: Arc::new(Shared {
                sender,
                connection,
                authority,
            }),
        })
    }

    /// Whether new requests are bound to fail: the connection is gone, or the server said GOAWAY.
    /// Requests in flight may still end well in the latter case.
    pub fn is_closed(&self) -> bool {
        self.shared.connection.close_reason().is_some() || self.shared.sender.is_closing()
    }

    /// Completes when the connection is gone, with the reason.
    pub async fn closed(&self) -> ConnectionLost {
        quic::connection_lost(self.shared.connection.closed().await)
    }
}

impl<B> Service<Request<B>> for Channel
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = ChannelError;
    type Future = ChannelFuture;

    /// Always ready: a request waits for the server's leave in its own future.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ChannelError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ChannelFuture {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { Ok(exchange(shared, request).await?) })
    }
}

async fn exchange<B>(
    shared: Arc<Shared>,
    request: Request<B>,
) -> Result<Response<ResponseBody>, TransportError>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (mut head, body) = request.into_parts();
    head.uri = absolute(&head.uri, &shared.authority);
    strip_connection_fields(&mut head.headers);

    let mut sender = shared.sender.clone();
    let stream = sender.send_request(Request::from_parts(head, ())).await?;
    let (out, mut inbound) = stream.split();
    let mut upload = Upload::start(out, body).await?;
    let response = tokio::select! {
        biased;
        error = poll_fn(|cx| upload.poll_failed(cx)) => return Err(error),
        response = inbound.recv_response() => response?,
    };
    Ok(response.map(|()| ResponseBody::new(inbound, upload, shared)))
}

/// The URI with the scheme and authority that this connection stands for.
fn absolute(uri: &Uri, authority: &Authority) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority.clone());
    parts.path_and_query = Some(
        uri.path_and_query()
            .cloned()
            .unwrap_or(PathAndQuery::from_static("/")),
    );
    Uri::from_parts(parts).expect("scheme, authority and path together are a URI")
}
