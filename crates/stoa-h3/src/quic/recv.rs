//! The receiving half of a stream.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h3::error::Code;
use h3::quic::{ConnectionErrorIncoming, StreamErrorIncoming, StreamId};

use super::error::{StreamFault, fault, read_error, wire_code};
use super::framing::{Framing, Refused};
use crate::error::ConnectionLost;

/// The most that is taken from quinn in one read.
const READ_SIZE: usize = 64 << 10;

/// quinn's half of the stream, shared with the [`StreamWatch`](super::StreamWatch) of a request.
/// Locked only within a poll, and only ever from the request's own task.
pub(super) type SharedRecv = Arc<Mutex<quinn::RecvStream>>;

pub(super) fn lock(stream: &SharedRecv) -> MutexGuard<'_, quinn::RecvStream> {
    // quinn's state cannot be left half-changed by a panic of ours: nothing of ours runs within.
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops the peer from sending when dropped before the end.
pub(crate) struct RecvStream {
    stream: SharedRecv,
    connection: quinn::Connection,
    id: StreamId,
    framing: Framing,
    progress: Progress,
    /// The code of the STOP_SENDING when dropped early.
    drop_code: Code,
    limit: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// The peer finished or reset it; nothing will come any more.
    Ended,
    /// This side does not want any more.
    Stopped,
}

impl RecvStream {
    pub(super) fn request(
        stream: quinn::RecvStream,
        connection: quinn::Connection,
        id: StreamId,
        limit: u64,
    ) -> Self {
        let framing = Framing::request(limit);
        Self::new(
            stream,
            connection,
            id,
            framing,
            limit,
            Code::H3_REQUEST_CANCELLED,
        )
    }

    pub(super) fn unidirectional(
        stream: quinn::RecvStream,
        connection: quinn::Connection,
        id: StreamId,
        limit: u64,
    ) -> Self {
        let framing = Framing::unidirectional(limit);
        Self::new(
            stream,
            connection,
            id,
            framing,
            limit,
            Code::H3_STREAM_CREATION_ERROR,
        )
    }

    fn new(
        stream: quinn::RecvStream,
        connection: quinn::Connection,
        id: StreamId,
        framing: Framing,
        limit: u64,
        drop_code: Code,
    ) -> Self {
        Self {
            stream: Arc::new(Mutex::new(stream)),
            connection,
            id,
            framing,
            progress: Progress::Open,
            drop_code,
            limit,
        }
    }

    pub(super) fn share(&self) -> SharedRecv {
        Arc::clone(&self.stream)
    }

    fn stop(&mut self, code: u64) {
        if self.progress == Progress::Open {
            self.progress = Progress::Stopped;
            // Fails only if the stream is gone already.
            let _ = lock(&self.stream).stop(wire_code(code));
        }
    }

    /// Ends the connection over a frame that is none (RFC 9114 section 7.1).
    fn frame_error(&self, reason: String) -> StreamErrorIncoming {
        let code = Code::H3_FRAME_ERROR.value();
        self.connection.close(wire_code(code), reason.as_bytes());
        StreamErrorIncoming::ConnectionErrorIncoming {
            connection_error: ConnectionErrorIncoming::Undefined(Arc::new(
                ConnectionLost::ClosedHere { code, reason },
            )),
        }
    }
}

impl h3::quic::RecvStream for RecvStream {
    type Buf = Bytes;

    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        loop {
            if self.progress == Progress::Stopped {
                return Poll::Ready(Err(fault(StreamFault::Stopped)));
            }
            match self.framing.next_piece() {
                Ok(Some(piece)) => return Poll::Ready(Ok(Some(piece))),
                Ok(None) => {}
                Err(Refused::TooLarge { kind, length }) => {
                    self.stop(Code::H3_EXCESSIVE_LOAD.value());
                    return Poll::Ready(Err(fault(StreamFault::FrameTooLarge {
                        kind,
                        length,
                        limit: self.limit,
                    })));
                }
                Err(Refused::Malformed { kind }) => {
                    self.progress = Progress::Ended;
                    let reason =
                        format!("a frame of type {kind:#x} has another length than its content");
                    return Poll::Ready(Err(self.frame_error(reason)));
                }
            }
            if self.progress == Progress::Ended {
                return Poll::Ready(Ok(None));
            }
            // Cancel-safe, so the future need not outlive the poll; quinn keeps the waker.
            let read = ready!(pin!(lock(&self.stream).read_chunk(READ_SIZE, true)).poll(cx));
            match read {
                Ok(Some(chunk)) => self.framing.push(chunk.bytes),
                Ok(None) => {
                    self.progress = Progress::Ended;
                    if !self.framing.at_boundary() {
                        let reason = "a stream ended within a frame".to_owned();
                        return Poll::Ready(Err(self.frame_error(reason)));
                    }
                }
                Err(error) => {
                    self.progress = Progress::Ended;
                    return Poll::Ready(Err(read_error(error)));
                }
            }
        }
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.stop(error_code);
    }

    fn recv_id(&self) -> StreamId {
        self.id
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        self.stop(self.drop_code.value());
    }
}
