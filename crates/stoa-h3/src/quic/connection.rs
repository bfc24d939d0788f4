//! The connection, and the streams it opens and accepts.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h3::error::Code;
use h3::quic::{
    ConnectionErrorIncoming, RecvStream as _, SendStream as _, StreamErrorIncoming, StreamId,
    WriteBuf,
};
use quinn::{ConnectionError, ReadError, StoppedError, VarInt};

use super::error::{connection_error, on_stream, wire_code};
use super::recv::{RecvStream, SharedRecv, lock};
use super::send::SendStream;

/// How often a request with unread bytes is looked at for a reset: quinn wakes for bytes, or for a
/// reset while there are none.
const UNREAD_CHECK: Duration = Duration::from_millis(100);

/// A quinn future that is kept from one poll to the next.
type Parked<T> = Pin<Box<dyn Future<Output = Result<T, ConnectionError>> + Send + Sync>>;
type Pair = (quinn::SendStream, quinn::RecvStream);

/// A quinn connection as h3 wants it.
pub(crate) struct Connection {
    connection: quinn::Connection,
    /// The limit on a non-DATA frame's payload, for every stream.
    frame_limit: u64,
    accepting_bidi: Option<Parked<Pair>>,
    accepting_recv: Option<Parked<quinn::RecvStream>>,
    open: OpenStreams,
}

impl Connection {
    pub(crate) fn new(connection: quinn::Connection, frame_limit: u64) -> Self {
        Self {
            open: OpenStreams::new(connection.clone(), frame_limit),
            connection,
            frame_limit,
            accepting_bidi: None,
            accepting_recv: None,
        }
    }
}

impl h3::quic::Connection<Bytes> for Connection {
    type RecvStream = RecvStream;
    type OpenStreams = OpenStreams;

    fn poll_accept_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<RecvStream, ConnectionErrorIncoming>> {
        let connection = &self.connection;
        let stream = ready!(poll_parked(&mut self.accepting_recv, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.accept_uni().await })
        }))
        .map_err(connection_error)?;
        let id = stream_id(stream.id());
        Poll::Ready(Ok(RecvStream::unidirectional(
            stream,
            self.connection.clone(),
            id,
            self.frame_limit,
        )))
    }

    fn poll_accept_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<BidiStream, ConnectionErrorIncoming>> {
        let connection = &self.connection;
        let pair = ready!(poll_parked(&mut self.accepting_bidi, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.accept_bi().await })
        }))
        .map_err(connection_error)?;
        let resolved = Some(Arc::new(AtomicBool::new(false)));
        Poll::Ready(Ok(BidiStream::new(
            pair,
            self.connection.clone(),
            self.frame_limit,
            resolved,
        )))
    }

    fn opener(&self) -> OpenStreams {
        self.open.clone()
    }
}

impl h3::quic::OpenStreams<Bytes> for Connection {
    type BidiStream = BidiStream;
    type SendStream = SendStream;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<BidiStream, StreamErrorIncoming>> {
        self.open.poll_open_bidi(cx)
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<SendStream, StreamErrorIncoming>> {
        self.open.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.open.close(code, reason);
    }
}

/// Opens streams on a connection; a clone waits for itself.
pub(crate) struct OpenStreams {
    connection: quinn::Connection,
    frame_limit: u64,
    opening_bidi: Option<Parked<Pair>>,
    opening_send: Option<Parked<quinn::SendStream>>,
}

impl OpenStreams {
    fn new(connection: quinn::Connection, frame_limit: u64) -> Self {
        Self {
            connection,
            frame_limit,
            opening_bidi: None,
            opening_send: None,
        }
    }
}

impl Clone for OpenStreams {
    fn clone(&self) -> Self {
        Self::new(self.connection.clone(), self.frame_limit)
    }
}

impl h3::quic::OpenStreams<Bytes> for OpenStreams {
    type BidiStream = BidiStream;
    type SendStream = SendStream;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<BidiStream, StreamErrorIncoming>> {
        let connection = &self.connection;
        let pair = ready!(poll_parked(&mut self.opening_bidi, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.open_bi().await })
        }))
        .map_err(on_stream)?;
        let connection = self.connection.clone();
        Poll::Ready(Ok(BidiStream::new(
            pair,
            connection,
            self.frame_limit,
            None,
        )))
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<SendStream, StreamErrorIncoming>> {
        let connection = &self.connection;
        let stream = ready!(poll_parked(&mut self.opening_send, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.open_uni().await })
        }))
        .map_err(on_stream)?;
        let id = stream_id(stream.id());
        Poll::Ready(Ok(SendStream::new(stream, id, None)))
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.connection.close(wire_code(code.value()), reason);
    }
}

/// Both halves of a request's stream.
pub(crate) struct BidiStream {
    send: SendStream,
    recv: RecvStream,
    resolved: Option<Arc<AtomicBool>>,
}

impl BidiStream {
    fn new(
        (send, recv): Pair,
        connection: quinn::Connection,
        frame_limit: u64,
        resolved: Option<Arc<AtomicBool>>,
    ) -> Self {
        let id = stream_id(send.id());
        Self {
            send: SendStream::new(send, id, resolved.clone()),
            recv: RecvStream::request(recv, connection, id, frame_limit),
            resolved,
        }
    }

    /// Sees the peer give up, for as long as the request is in work.
    pub(crate) fn watch(&self) -> StreamWatch {
        StreamWatch {
            stopped: Box::pin(self.send.stopped()),
            recv: self.recv.share(),
            resolved: self.resolved.clone(),
        }
    }

    /// Refuses the request unread, in a way that lets the client send it again.
    pub(crate) fn reject(mut self) {
        let code = Code::H3_REQUEST_REJECTED.value();
        self.send.reset(code);
        self.recv.stop_sending(code);
    }
}

impl h3::quic::BidiStream<Bytes> for BidiStream {
    type SendStream = SendStream;
    type RecvStream = RecvStream;

    fn split(self) -> (SendStream, RecvStream) {
        (self.send, self.recv)
    }
}

impl h3::quic::SendStream<Bytes> for BidiStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.send.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.send.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.send.poll_finish(cx)
    }

    fn reset(&mut self, reset_code: u64) {
        self.send.reset(reset_code);
    }

    fn send_id(&self) -> StreamId {
        self.send.send_id()
    }
}

impl h3::quic::RecvStream for BidiStream {
    type Buf = Bytes;

    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        self.recv.poll_data(cx)
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.recv.stop_sending(error_code);
    }

    fn recv_id(&self) -> StreamId {
        self.recv.recv_id()
    }
}

/// Watches both directions of a request's stream without reading or writing it.
///
/// To be polled from the task that reads the stream: quinn remembers one waker for each.
pub(crate) struct StreamWatch {
    stopped: Pin<Box<dyn Future<Output = Result<Option<VarInt>, StoppedError>> + Send + Sync>>,
    recv: SharedRecv,
    resolved: Option<Arc<AtomicBool>>,
}

impl StreamWatch {
    /// From here on an early drop of the response means a cancel, not a refusal.
    pub(crate) fn resolved(&self) {
        if let Some(resolved) = &self.resolved {
            resolved.store(true, Ordering::Release);
        }
    }

    /// Splits the watch into the one for the response and the one for the request.
    pub(crate) fn split(self) -> (ResponseWatch, RequestWatch) {
        (ResponseWatch(self.stopped), RequestWatch(self.recv))
    }
}

/// Watches a response that is being sent.
pub(crate) struct ResponseWatch(
    Pin<Box<dyn Future<Output = Result<Option<VarInt>, StoppedError>> + Send + Sync>>,
);

impl ResponseWatch {
    /// Completes with `false` when the peer does not want the response any more or the connection is
    /// lost; with `true` when the response was finished and the peer has all of it.
    pub(crate) async fn delivered(&mut self) -> bool {
        matches!(self.0.as_mut().await, Ok(None))
    }
}

/// Watches a request that is not being read.
pub(crate) struct RequestWatch(SharedRecv);

impl RequestWatch {
    /// Completes when the peer reset its request or the connection is lost; never when it ended.
    ///
    /// Cancel-safe, and takes nothing from the stream. When bytes wait to be read a reset is noticed
    /// within [`UNREAD_CHECK`] rather than at once.
    pub(crate) async fn reset(&self) {
        loop {
            match poll_fn(|cx| self.poll_readable(cx)).await {
                Ok(true) => tokio::time::sleep(UNREAD_CHECK).await,
                Ok(false) => std::future::pending().await,
                Err(()) => return,
            }
        }
    }

    /// Whether there are bytes to read (or, if not, whether that is for good); an error once the
    /// peer reset the stream.
    ///
    /// A read of no bytes. quinn's `received_reset` would wait even while there are bytes, but it
    /// leaves its waker behind for the life of the connection if those bytes and the end are then
    /// read without waiting.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<Result<bool, ()>> {
        let mut stream = lock(&self.0);
        // Cancel-safe, so the future need not outlive the poll; quinn keeps the waker.
        Poll::Ready(match ready!(pin!(stream.read_chunk(0, true)).poll(cx)) {
            Ok(chunk) => Ok(chunk.is_some()),
            Err(ReadError::Reset(_) | ReadError::ConnectionLost(_)) => Err(()),
            Err(_) => Ok(false),
        })
    }
}

fn poll_parked<T>(
    slot: &mut Option<Parked<T>>,
    cx: &mut Context<'_>,
    start: impl FnOnce() -> Parked<T>,
) -> Poll<Result<T, ConnectionError>> {
    let result = ready!(slot.get_or_insert_with(start).as_mut().poll(cx));
    *slot = None;
    Poll::Ready(result)
}

fn stream_id(id: quinn::StreamId) -> StreamId {
    StreamId::try_from(VarInt::from(id).into_inner())
        .expect("a QUIC stream id is a variable-length integer, and that is all h3 checks")
}
