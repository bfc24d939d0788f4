//! A request's body on its way to the handler.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h3::error::Code;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

use crate::error::TransportError;
use crate::message::Inbound;
use crate::quic::{RecvStream, RequestWatch};

/// Frames that are read ahead of the handler.
const READ_AHEAD: usize = 1;

pub(super) type RequestInbound = Inbound<h3::server::RequestStream<RecvStream, Bytes>>;

/// The end is an item of its own: a channel that merely closes was cut off.
enum Item {
    Frame(Frame<Bytes>),
    Failed(TransportError),
    End,
}

/// The body of a request: data, then perhaps trailers.
///
/// It is read only as it is polled, one frame ahead. Dropping it early tells the client to send no
/// more (STOP_SENDING with `H3_NO_ERROR`), while the response goes on. It fails with
/// [`TransportError::Cancelled`] when it outlives its request.
pub struct RequestBody {
    items: mpsc::Receiver<Item>,
    done: bool,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let frame = match ready!(self.items.poll_recv(cx)) {
            Some(Item::Frame(frame)) => return Poll::Ready(Some(Ok(frame))),
            Some(Item::Failed(error)) => Some(Err(error)),
            Some(Item::End) => None,
            None => Some(Err(TransportError::Cancelled)),
        };
        self.done = true;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.done
    }
}

/// The other end of a [`RequestBody`].
pub(super) struct Intake {
    items: mpsc::Sender<Item>,
    watch: RequestWatch,
}

/// Whether the request is still wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// There is nothing more to read.
    Done,
    /// The client gave the request up, or is gone.
    Cancelled,
}

pub(super) fn request_body(watch: RequestWatch) -> (RequestBody, Intake) {
    let (items, receiver) = mpsc::channel(READ_AHEAD);
    let body = RequestBody {
        items: receiver,
        done: false,
    };
    (body, Intake { items, watch })
}

impl Intake {
    /// Reads the request as the handler takes it.
    pub(super) async fn run(self, inbound: &mut RequestInbound) -> Read {
        loop {
            let room = tokio::select! {
                room = self.items.reserve() => room,
                // Nobody reads while the handler is busy, so nobody would see a reset.
                () = self.watch.reset() => return Read::Cancelled,
            };
            let Ok(room) = room else {
                inbound.stop(Code::H3_NO_ERROR);
                return Read::Done;
            };
            let frame = tokio::select! {
                biased;
                frame = poll_fn(|cx| inbound.poll_frame(cx)) => frame,
                () = self.items.closed() => {
                    inbound.stop(Code::H3_NO_ERROR);
                    return Read::Done;
                }
            };
            match frame {
                Some(Ok(frame)) => room.send(Item::Frame(frame)),
                Some(Err(TransportError::Reset { .. } | TransportError::Lost(_))) => {
                    return Read::Cancelled;
                }
                Some(Err(error)) => {
                    room.send(Item::Failed(error));
                    return Read::Done;
                }
                None => {
                    room.send(Item::End);
                    return Read::Done;
                }
            }
        }
    }
}
