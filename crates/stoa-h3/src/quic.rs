//! The traits of [`h3::quic`] for quinn.
//!
//! What is different from the obvious wrapping, and why:
//!
//! - A send stream dropped before it was finished is **reset**. quinn finishes it, and the peer
//!   would take half a message for a whole one.
//! - A receive stream dropped before its end sends STOP_SENDING with a code that says so, and
//!   stopping it while a read is parked is fine: no read ever owns the stream.
//! - A request's stream comes with a [`StreamWatch`], because neither a STOP_SENDING nor a RESET is
//!   seen by somebody who neither writes nor reads.
//! - What is received is handed to h3 in pieces that never hold bytes of two frames: see
//!   [`framing`].

mod connection;
mod error;
pub(crate) mod framing;
mod recv;
mod send;

pub(crate) use connection::{BidiStream, Connection, OpenStreams, RequestWatch, StreamWatch};
pub(crate) use error::connection_lost;
pub(crate) use recv::RecvStream;
pub(crate) use send::SendStream;
