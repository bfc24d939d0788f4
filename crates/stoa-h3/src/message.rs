//! What a request and a response have in common: bodies in both directions.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h3::error::{Code, StreamError};
use http::{HeaderMap, HeaderName, header};
use http_body::{Body, Frame};

use crate::error::{BoxError, TransportError};
use crate::quic::{RecvStream, SendStream};

/// Fields that speak of one TCP connection, and must not be in a message of HTTP/3
/// (RFC 9114 section 4.2).
const CONNECTION_FIELDS: [HeaderName; 5] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Takes out what an HTTP/1 peer of the service may have needed.
pub(crate) fn strip_connection_fields(headers: &mut HeaderMap) {
    for name in &CONNECTION_FIELDS {
        headers.remove(name);
    }
}

/// h3's stream for the message that this side sends.
pub(crate) trait Outgoing: Send {
    fn data(&mut self, data: Bytes) -> impl Future<Output = Result<(), StreamError>> + Send;
    fn trailers(
        &mut self,
        trailers: HeaderMap,
    ) -> impl Future<Output = Result<(), StreamError>> + Send;
    fn end(&mut self) -> impl Future<Output = Result<(), StreamError>> + Send;
}

/// h3's stream for the message that the peer sends.
pub(crate) trait Incoming {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamError>>;
    fn poll_trailers(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, StreamError>>;
    fn stop(&mut self, code: Code);
}

/// h3's two request streams have the same methods but no trait in common.
macro_rules! carry {
    ($stream:ident, $side:ident) => {
        impl Outgoing for h3::$side::$stream<SendStream, Bytes> {
            async fn data(&mut self, data: Bytes) -> Result<(), StreamError> {
                self.send_data(data).await
            }
            async fn trailers(&mut self, trailers: HeaderMap) -> Result<(), StreamError> {
                self.send_trailers(trailers).await
            }
            async fn end(&mut self) -> Result<(), StreamError> {
                self.finish().await
            }
        }

        impl Incoming for h3::$side::$stream<RecvStream, Bytes> {
            fn poll_data(
                &mut self,
                cx: &mut Context<'_>,
            ) -> Poll<Result<Option<Bytes>, StreamError>> {
                let data = ready!(self.poll_recv_data(cx))?;
                Poll::Ready(Ok(data.map(|mut data| data.copy_to_bytes(data.remaining()))))
            }
            fn poll_trailers(
                &mut self,
                cx: &mut Context<'_>,
            ) -> Poll<Result<Option<HeaderMap>, StreamError>> {
                self.poll_recv_trailers(cx)
            }
            fn stop(&mut self, code: Code) {
                self.stop_sending(code);
            }
        }
    };
}
carry!(RequestStream, server);
carry!(RequestStream, client);

/// Why a body was not sent to its end.
pub(crate) enum SendError {
    /// The body failed: the application's doing.
    Body(BoxError),
    /// The stream failed: the peer's or the network's doing.
    Stream(TransportError),
}

impl From<StreamError> for SendError {
    fn from(error: StreamError) -> Self {
        Self::Stream(error.into())
    }
}

/// Sends `body`, its trailers and the end. After an error the stream is to be dropped or reset.
pub(crate) async fn send_body<O, B>(out: &mut O, body: B) -> Result<(), SendError>
where
    O: Outgoing,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    // The error is boxed within the poll: a body's error need not be `Send`, a box is.
    while let Some(frame) = poll_fn(|cx| {
        let frame = ready!(body.as_mut().poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(|error| SendError::Body(error.into()))))
    })
    .await
    {
        match frame?.into_data() {
            Ok(data) if data.is_empty() => {}
            Ok(data) => out.data(data).await?,
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    out.trailers(trailers).await?;
                    break;
                }
            }
        }
    }
    out.end().await?;
    Ok(())
}

/// The body of the message that the peer sends: data, then trailers, then the end or an error.
pub(crate) struct Inbound<I> {
    stream: I,
    next: Next,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Data,
    Trailers,
    Nothing,
}

impl<I: Incoming> Inbound<I> {
    pub(crate) fn new(stream: I) -> Self {
        Self {
            stream,
            next: Next::Data,
        }
    }

    /// Whether the end, or an error, has been handed out.
    pub(crate) fn is_done(&self) -> bool {
        self.next == Next::Nothing
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let frame = ready!(self.poll_next(cx));
        if !matches!(frame, Ok(Some(_))) {
            self.next = Next::Nothing;
        }
        Poll::Ready(frame.map_err(TransportError::from).transpose())
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Frame<Bytes>>, StreamError>> {
        if self.next == Next::Data {
            if let Some(data) = ready!(self.stream.poll_data(cx))? {
                return Poll::Ready(Ok(Some(Frame::data(data))));
            }
            self.next = Next::Trailers;
        }
        if self.next == Next::Trailers {
            let trailers = ready!(self.stream.poll_trailers(cx))?;
            self.next = Next::Nothing;
            return Poll::Ready(Ok(trailers.map(Frame::trailers)));
        }
        Poll::Ready(Ok(None))
    }

    /// Tells the peer that the rest is not wanted, and why; nothing after the end.
    pub(crate) fn stop(&mut self, code: Code) {
        if !self.is_done() {
            self.next = Next::Nothing;
            self.stream.stop(code);
        }
    }
}
