//! The sending half of a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h3::error::Code;
use h3::quic::{StreamErrorIncoming, StreamId, WriteBuf};

use super::error::{StreamFault, fault, wire_code, write_error};

/// Resets the stream when dropped before it was finished.
pub(crate) struct SendStream {
    stream: quinn::SendStream,
    id: StreamId,
    /// What h3 gave and quinn has not taken yet.
    writing: Option<WriteBuf<Bytes>>,
    /// Whether the stream was finished or reset, after which its end is out of our hands.
    ended: bool,
    /// `None` but for a request's stream at the server, where it is whether h3 has read the
    /// request's headers and left the stream to us.
    resolved: Option<Arc<AtomicBool>>,
    wrote: bool,
}

impl SendStream {
    pub(super) fn new(
        stream: quinn::SendStream,
        id: StreamId,
        resolved: Option<Arc<AtomicBool>>,
    ) -> Self {
        Self {
            stream,
            id,
            writing: None,
            ended: false,
            resolved,
            wrote: false,
        }
    }

    /// Completes when the peer stopped the stream (its code), or has all of it (`None`).
    pub(super) fn stopped(
        &self,
    ) -> impl Future<Output = Result<Option<quinn::VarInt>, quinn::StoppedError>> + Send + Sync + 'static
    {
        self.stream.stopped()
    }

    fn abandon(&mut self) {
        let resolving = match &self.resolved {
            Some(resolved) => !resolved.load(Ordering::Acquire),
            None => false,
        };
        if resolving && self.wrote && self.writing.is_none() {
            // h3 answers a request whose header section is too large on its own, with a complete
            // response (431), and then drops the stream.
            let _ = self.stream.finish();
            return;
        }
        let code = if std::thread::panicking() {
            Code::H3_INTERNAL_ERROR
        } else if resolving {
            // No handler ever saw it, which tells the client that it may be sent again.
            Code::H3_REQUEST_REJECTED
        } else {
            Code::H3_REQUEST_CANCELLED
        };
        // Fails only if the connection or the stream is gone, and then nobody is to be told.
        let _ = self.stream.reset(wire_code(code.value()));
    }
}

impl h3::quic::SendStream<Bytes> for SendStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        if let Some(data) = &mut self.writing {
            while data.has_remaining() {
                let stream = Pin::new(&mut self.stream);
                let written = ready!(stream.poll_write(cx, data.chunk())).map_err(write_error)?;
                data.advance(written);
                self.wrote = true;
            }
            self.writing = None;
        }
        Poll::Ready(Ok(()))
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        if self.writing.is_some() {
            return Err(fault(StreamFault::NotReady));
        }
        self.writing = Some(data.into());
        Ok(())
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        ready!(self.poll_ready(cx))?;
        self.ended = true;
        let finished = self.stream.finish();
        Poll::Ready(finished.map_err(|error| StreamErrorIncoming::Unknown(Box::new(error))))
    }

    fn reset(&mut self, reset_code: u64) {
        self.ended = true;
        let _ = self.stream.reset(wire_code(reset_code));
    }

    fn send_id(&self) -> StreamId {
        self.id
    }
}

impl Drop for SendStream {
    fn drop(&mut self) {
        if !self.ended {
            self.abandon();
        }
    }
}
