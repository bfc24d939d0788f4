//! Cuts a stream at its frame boundaries (RFC 9114 section 7.1) before h3 sees it.
//!
//! h3 0.0.8 reads a chunk from the transport whenever it is asked for the next thing, whether or
//! not it still holds bytes to decode. Three things follow that a peer could use: many small DATA
//! frames pile up in memory without flow control; a frame that declares a great length is buffered
//! until it is whole; and a stream that ends inside a DATA frame trips an assertion. A DATA frame
//! of no bytes, which is legal, moreover looks to h3 like the end of the body.
//!
//! What is more, the frames that are one integer (GOAWAY, MAX_PUSH_ID, CANCEL_PUSH) it reads without looking
//! whether the payload is that long. What is left of a longer payload it takes for frames, of whatever length
//! they declare; for the rest of a shorter one it waits, and keeps everything that comes meanwhile
//! (docs/upstream/h3-frames-of-one-integer.md).
//!
//! So h3 is handed one frame's header, then that frame's payload piece by piece, and never a byte
//! of the next frame: it then decodes exactly what it reads. Frames other than DATA have a limit,
//! those of one integer have its length, empty DATA frames and frames of unknown types are dropped here, and an end
//! within a frame is told apart from an end.

use bytes::{Buf, Bytes};

/// The longest header: two variable-length integers of eight bytes.
const MAX_HEADER: usize = 16;

const DATA: u64 = 0x0;
const CONTROL_STREAM: u64 = 0x0;

/// What h3 decodes, or refuses by name (the reserved frames of HTTP/2, WebTransport). Every other
/// type must be ignored (RFC 9114 section 9), for which its payload need not be kept.
const KNOWN: [u64; 12] = [0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xd, 0x41];

/// Frames whose payload is one variable-length integer and nothing else: CANCEL_PUSH, GOAWAY and MAX_PUSH_ID
/// (RFC 9114 sections 7.2.3, 7.2.6 and 7.2.7).
const INTEGERS: [u64; 3] = [0x3, 0x7, 0xd];

/// Begins with one (RFC 9114 section 7.2.5).
const PUSH_PROMISE: u64 = 0x5;

/// A frame that h3 is not handed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is larger than this side is ready to buffer.
    TooLarge { kind: u64, length: u64 },
    /// Its payload is shorter or longer than what it is to hold (RFC 9114 section 7.1).
    Malformed { kind: u64 },
}

#[derive(Debug)]
enum State {
    /// At the start of a unidirectional stream: its type.
    StreamType,
    /// In a frame's type and length.
    Header,
    /// Before the payload of a frame that begins with an integer.
    Integer { kind: u64, length: u64 },
    /// In a frame's payload; `pass` is whether h3 gets to see it.
    Payload { remaining: u64, pass: bool },
    /// A stream without frames.
    Raw,
}

/// The state of one stream.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    /// The bytes of an integer or header that is not complete yet.
    partial: [u8; MAX_HEADER],
    filled: usize,
    /// Received and not yet cut.
    input: Bytes,
    limit: u64,
}

impl Framing {
    /// For a request's stream, whose non-DATA frames may have `limit` bytes of payload.
    pub(crate) fn request(limit: u64) -> Self {
        Self::new(State::Header, limit)
    }

    /// For a unidirectional stream: frames if it turns out to be the control stream, else raw.
    pub(crate) fn unidirectional(limit: u64) -> Self {
        Self::new(State::StreamType, limit)
    }

    fn new(state: State, limit: u64) -> Self {
        Self {
            state,
            partial: [0; MAX_HEADER],
            filled: 0,
            input: Bytes::new(),
            limit,
        }
    }

    /// Adds what was received; call only after [`next_piece`](Self::next_piece) returned `None`.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.input.is_empty());
        self.input = chunk;
    }

    /// Whether the stream may end here.
    pub(crate) fn at_boundary(&self) -> bool {
        let between = match self.state {
            State::Header => self.filled == 0,
            State::Payload { remaining, .. } => remaining == 0,
            State::Integer { .. } => false,
            State::StreamType | State::Raw => true,
        };
        between && self.input.is_empty()
    }

    /// The next piece for h3, never empty; `None` when more must be received first.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Bytes>, Refused> {
        while self.input.has_remaining() {
            let piece = match self.state {
                State::StreamType => self.stream_type(),
                State::Header => self.header()?,
                State::Integer { kind, length } => {
                    self.integer(kind, length)?;
                    None
                }
                State::Payload { remaining: 0, .. } => {
                    self.state = State::Header;
                    None
                }
                State::Payload { remaining, pass } => {
                    let available = self.input.len();
                    let take = usize::try_from(remaining).map_or(available, |n| n.min(available));
                    self.state = State::Payload {
                        remaining: remaining - take as u64,
                        pass,
                    };
                    let piece = self.input.split_to(take);
                    pass.then_some(piece)
                }
                State::Raw => Some(std::mem::take(&mut self.input)),
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
        Ok(None)
    }

    fn stream_type(&mut self) -> Option<Bytes> {
        let (kind, _) = self.collect(1)?;
        self.state = match kind {
            CONTROL_STREAM => State::Header,
            _ => State::Raw,
        };
        Some(self.take_partial())
    }

    fn header(&mut self) -> Result<Option<Bytes>, Refused> {
        let Some((kind, length)) = self.collect(2) else {
            return Ok(None);
        };
        let header = self.take_partial();
        let pass = KNOWN.contains(&kind) && !(kind == DATA && length == 0);
        if pass && kind != DATA && length > self.limit {
            return Err(Refused::TooLarge { kind, length });
        }
        self.state = match INTEGERS.contains(&kind) || kind == PUSH_PROMISE {
            true if length == 0 => return Err(Refused::Malformed { kind }),
            true => State::Integer { kind, length },
            false => State::Payload {
                remaining: length,
                pass,
            },
        };
        Ok(pass.then_some(header))
    }

    /// Looks at the first byte of a payload, which says how long its integer is.
    fn integer(&mut self, kind: u64, length: u64) -> Result<(), Refused> {
        let first = self.input.first().copied().unwrap_or_default();
        let integer = 1 << (first >> 6);
        if length < integer || INTEGERS.contains(&kind) && length != integer {
            return Err(Refused::Malformed { kind });
        }
        self.state = State::Payload {
            remaining: length,
            pass: true,
        };
        Ok(())
    }

    /// Moves input to `partial` until it holds `integers` (one or two) whole variable-length
    /// integers, and returns them; the second is 0 if only one was asked for.
    fn collect(&mut self, integers: usize) -> Option<(u64, u64)> {
        loop {
            let held = &self.partial[..self.filled];
            if let Some((first, used)) = varint(held) {
                if integers == 1 {
                    return Some((first, 0));
                }
                if let Some((second, _)) = varint(&held[used..]) {
                    return Some((first, second));
                }
            }
            if !self.input.has_remaining() {
                return None;
            }
            self.partial[self.filled] = self.input.get_u8();
            self.filled += 1;
        }
    }

    fn take_partial(&mut self) -> Bytes {
        let bytes = Bytes::copy_from_slice(&self.partial[..self.filled]);
        self.filled = 0;
        bytes
    }
}

/// The variable-length integer (RFC 9000 section 16) that `bytes` begin with, and its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = 1 << (first >> 6);
    let rest = bytes.get(1..length)?;
    let value = rest.iter().fold(u64::from(first & 0x3f), |value, byte| {
        value << 8 | u64::from(*byte)
    });
    Some((value, length))
}

#[cfg(test)]
mod tests;
