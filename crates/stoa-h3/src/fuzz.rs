//! What `fuzz/` needs of the adapter beyond the crate's interface: the cutting of a stream, without a stream. No
//! part of the interface; why it has no feature of its own stands in `stoa-core/src/fuzz.rs`.

use bytes::Bytes;

use crate::quic::framing::{self, Framing};

/// A stream as a peer sends it, cut at its frame boundaries.
pub struct Cutter(Framing);

/// A frame that h3 is not handed, which ends the stream; its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is longer than the limit.
    TooLarge(u64),
    /// Its payload has not the length of what it is to hold.
    Malformed(u64),
}

impl Cutter {
    /// For a request's stream, or for one that its first bytes name; with a limit for frames other than DATA.
    pub fn new(is_request: bool, limit: u64) -> Self {
        Self(match is_request {
            true => Framing::request(limit),
            false => Framing::unidirectional(limit),
        })
    }

    /// Adds what has come; only when [`Cutter::next_piece`] has given everything of what came before.
    pub fn push(&mut self, chunk: Bytes) {
        self.0.push(chunk);
    }

    /// What h3 is given next.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, Refused> {
        self.0.next_piece().map_err(|refused| match refused {
            framing::Refused::TooLarge { kind, .. } => Refused::TooLarge(kind),
            framing::Refused::Malformed { kind } => Refused::Malformed(kind),
        })
    }

    /// Whether the stream may end here.
    pub fn at_boundary(&self) -> bool {
        self.0.at_boundary()
    }
}
