//! Both bodies of an exchange, seen from the client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::task::JoinHandle;

use super::{ChannelError, Shared};
use crate::error::{BoxError, TransportError};
use crate::message::{Inbound, Outgoing, SendError, send_body};
use crate::quic::{RecvStream, SendStream};

type RequestOut = h3::client::RequestStream<SendStream, Bytes>;
type ResponseIn = h3::client::RequestStream<RecvStream, Bytes>;

/// A request's body on its way out, in a task of its own; dropping this resets what is not sent.
pub(super) struct Upload {
    /// `None` once there is nothing more to learn from it.
    task: Option<JoinHandle<Result<(), SendError>>>,
}

impl Upload {
    pub(super) async fn start<B>(mut out: RequestOut, body: B) -> Result<Self, TransportError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            out.end().await?;
            return Ok(Self { task: None });
        }
        let task = tokio::spawn(async move { send_body(&mut out, body).await });
        Ok(Self { task: Some(task) })
    }

    /// Completes when the body itself failed, and only then: what goes wrong with the stream shows
    /// in the response, and a server may stop a request that it needs no more of.
    pub(super) fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let Some(task) = &mut self.task else {
            return Poll::Pending;
        };
        let sent = ready!(Pin::new(task).poll(cx));
        self.task = None;
        match sent {
            Ok(Err(SendError::Body(error))) => Poll::Ready(TransportError::Body(error.into())),
            Ok(Ok(()) | Err(SendError::Stream(_))) => Poll::Pending,
            // It panicked.
            Err(error) => Poll::Ready(TransportError::Body(Arc::new(error))),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The body of a response: data, then perhaps trailers. Dropping it before the end cancels the
/// request at the server.
pub struct ResponseBody {
    inbound: Inbound<ResponseIn>,
    upload: Upload,
    /// Keeps the connection for as long as there is something to read.
    _connection: Arc<Shared>,
}

impl ResponseBody {
    pub(super) fn new(stream: ResponseIn, upload: Upload, connection: Arc<Shared>) -> Self {
        Self {
            inbound: Inbound::new(stream),
            upload,
            _connection: connection,
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ChannelError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ChannelError>>> {
        if self.inbound.is_done() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(error) = self.upload.poll_failed(cx) {
            self.inbound.stop(h3::error::Code::H3_REQUEST_CANCELLED);
            return Poll::Ready(Some(Err(error.into())));
        }
        let frame = ready!(self.inbound.poll_frame(cx));
        if self.inbound.is_done() {
            // The response is complete: nobody needs the rest of the request.
            self.upload = Upload { task: None };
        }
        Poll::Ready(frame.map(|frame| frame.map_err(ChannelError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.inbound.is_done()
    }
}
