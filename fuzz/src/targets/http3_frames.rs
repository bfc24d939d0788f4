//! What a peer sends on a stream of HTTP/3 (RFC 9114, section 7), in pieces as the first bytes say.
//!
//! Our cutter hands h3 what a plain reading of the same bytes says that it should, whatever the pieces; and h3, which
//! reads it through the same trait as over QUIC, does not panic, does not turn in a circle, and finds the same data.

use std::{
    cell::Cell,
    collections::VecDeque,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::{Buf as _, Bytes};
use h3::{
    frame::FrameStream,
    proto::frame::Frame,
    quic::{RecvStream, StreamErrorIncoming, StreamId},
    stream::BufRecvStream,
};
use stoa_h3::fuzz::{Cutter, Refused};

use crate::input::Input;

/// The limit of frames other than DATA.
const LIMIT: u64 = 1_024;

/// What h3 may keep before it makes a frame of it: one of the longest, with its header.
const MOST_KEPT: usize = LIMIT as usize + 16 + 256;

/// What h3 decodes or refuses by name: the types of RFC 9114, section 7.2, those that HTTP/2 had, and WebTransport's.
const KNOWN: [u64; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xd, 0x41];

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let (kind, step) = (input.byte(), usize::from(input.byte()) + 1);
    let stream = input.rest();
    let is_request = kind & 1 == 0;
    let (cut, ended) = cut(is_request, stream, step);
    if is_request {
        let (expected, is_good) = plain(stream);
        assert_eq!(cut.concat(), expected, "cut into pieces of {step}");
        assert_eq!(ended != End::Refused, is_good);
        read_by_h3(cut, ended);
    } else {
        let length: usize = cut.iter().map(Bytes::len).sum();
        assert!(length <= stream.len(), "more than there was");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The stream may end here.
    Boundary,
    /// Within a frame.
    Within,
    /// Before a frame that was refused.
    Refused,
}

/// What our side hands on.
fn cut(is_request: bool, stream: &[u8], step: usize) -> (Vec<Bytes>, End) {
    let (mut cutter, mut pieces) = (Cutter::new(is_request, LIMIT), Vec::new());
    for chunk in stream.chunks(step) {
        cutter.push(Bytes::copy_from_slice(chunk));
        loop {
            match cutter.next_piece() {
                Ok(None) => break,
                Ok(Some(piece)) => {
                    assert!(!piece.is_empty(), "an empty piece looks like an end");
                    pieces.push(piece);
                }
                Err(Refused::TooLarge(kind) | Refused::Malformed(kind)) => {
                    assert!(kind != 0 && KNOWN.contains(&kind), "{kind}");
                    return (pieces, End::Refused);
                }
            }
        }
    }
    let end = match cutter.at_boundary() {
        true => End::Boundary,
        false => End::Within,
    };
    (pieces, end)
}

/// The same, read frame by frame from the whole: what is handed on, and whether no frame was refused.
fn plain(mut stream: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    while !stream.is_empty() {
        let Some((kind, after_kind)) = integer(stream) else {
            return (out, true);
        };
        let Some((length, payload)) = integer(after_kind) else {
            return (out, true);
        };
        let header = &stream[..stream.len() - payload.len()];
        let passes = KNOWN.contains(&kind) && !(kind == 0 && length == 0);
        if passes && kind != 0 && length > LIMIT {
            return (out, false);
        }
        let is_integer = [3, 7, 0xd].contains(&kind);
        if (is_integer || kind == 5) && length == 0 {
            return (out, false);
        }
        if passes {
            out.extend(header);
        }
        if let (true, Some(first)) = (is_integer || kind == 5, payload.first()) {
            let integer = 1 << (first >> 6);
            if length < integer || is_integer && length != integer {
                return (out, false);
            }
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (payload, rest) = payload.split_at(length.min(payload.len()));
        if passes {
            out.extend(payload);
        }
        stream = rest;
    }
    (out, true)
}

/// A variable-length integer (RFC 9000, section 16), and what follows it.
fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = 1 << (bytes.first()? >> 6);
    let (integer, rest) = bytes.split_at_checked(length)?;
    let mut value = u64::from(integer[0] & 0x3f);
    for byte in &integer[1..] {
        value = value << 8 | u64::from(*byte);
    }
    Some((value, rest))
}

/// A stream of pieces that are there already.
struct Fed {
    pieces: VecDeque<Bytes>,
    end: End,
    /// Bytes that were handed out since h3 has made something of any.
    kept: Rc<Cell<usize>>,
}

impl RecvStream for Fed {
    type Buf = Bytes;

    fn poll_data(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        Poll::Ready(match (self.pieces.pop_front(), self.end) {
            (Some(piece), _) => {
                self.kept.set(self.kept.get() + piece.len());
                assert!(self.kept.get() <= MOST_KEPT, "h3 keeps what it is sent");
                Ok(Some(piece))
            }
            (None, End::Boundary) => Ok(None),
            // As our side does it: h3 is not told that it ended.
            (None, _) => Err(StreamErrorIncoming::StreamTerminated { error_code: 0x106 }),
        })
    }

    fn stop_sending(&mut self, _: u64) {}

    fn recv_id(&self) -> StreamId {
        StreamId::try_from(0).expect("a stream")
    }
}

fn read_by_h3(pieces: Vec<Bytes>, end: End) {
    let most = 4 * pieces.len() + 16;
    let kept = Rc::new(Cell::new(0));
    let fed = Fed {
        pieces: pieces.into(),
        end,
        kept: Rc::clone(&kept),
    };
    let mut stream = FrameStream::<Fed, Bytes>::new(BufRecvStream::new(fed));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..most {
        kept.set(0);
        let expected = match stream.poll_next(&mut context) {
            Poll::Ready(Ok(Some(Frame::Data(payload)))) => payload.0,
            // What it buffers of the others is limited by us.
            Poll::Ready(Ok(Some(Frame::WebTransportStream(_)))) => return,
            Poll::Ready(Ok(Some(_))) => continue,
            Poll::Ready(Ok(None) | Err(_)) => return,
            Poll::Pending => panic!("h3 waits for what has come"),
        };
        let mut found = 0;
        loop {
            match stream.poll_data(&mut context) {
                Poll::Ready(Ok(Some(mut data))) => {
                    assert!(data.has_remaining(), "h3 turns in a circle");
                    found += data.remaining();
                    kept.set(0);
                    data.advance(data.remaining());
                }
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Err(_)) => return,
                Poll::Pending => panic!("h3 waits for what has come"),
            }
        }
        assert_eq!(found, expected, "the length of a DATA frame");
    }
    panic!("h3 does not come to an end");
}
