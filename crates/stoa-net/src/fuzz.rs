//! What `fuzz/` needs beyond the crate's interface: datagrams out of a TCP connection, without a connection. No
//! part of the interface; why it has no feature of its own stands in `stoa-core/src/fuzz.rs`.

use crate::tcp::{Frames, may_be_check};

/// The bytes of a connection, as they come.
#[derive(Debug, Default)]
pub struct Stream(Frames);

impl Stream {
    /// Takes what has come and hands on the datagrams that are complete. Nothing where the connection is to be
    /// closed over it.
    pub fn take(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) -> Option<()> {
        self.0.take(bytes, each).ok()
    }

    /// How many bytes are kept of a datagram whose end has not come.
    pub fn kept(&self) -> usize {
        self.0.kept()
    }
}

/// Whether a connection may begin with this datagram.
pub fn may_begin_with(datagram: &[u8]) -> bool {
    may_be_check(datagram)
}
