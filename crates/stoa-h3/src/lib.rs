//! Tower HTTP services over HTTP/3 (RFC 9114), on [`quinn`] and [`h3`].
//!
//! In practice the services are gRPC: a server hands tonic's `Routes` to [`serve_connection`], a
//! client gives a [`Channel`] to a generated stub. The crate itself knows nothing of protobuf and
//! little of gRPC; it moves requests, bodies, trailers and, above all, *endings*:
//!
//! - **A message ends cleanly only when it is complete.** A stream that is dropped earlier, whether
//!   by a returning error, a cancelled future or a panic, is reset. It never looks like a clean end.
//! - **A cancel is felt at once.** When the client resets its request or stops the response, the
//!   handler's future and the response's body are dropped, even when both are idle. (Only a reset
//!   without a stop, behind bytes that the handler has not read, takes up to 100 ms.) When the
//!   client drops its response future or body, the server is told.
//! - **Back-pressure is end to end.** A body is polled only when the stream has taken the frame
//!   before; a request's body is read at most one frame ahead of the handler.
//! - **No peer can make this side buffer without bound.** Flow control comes from
//!   [`transport_config`], everything above it from [`ServerLimits`]; what `h3` would buffer is cut
//!   down in the adapter (see the source of `quic/framing.rs`).
//! - **A shutdown ends.** GOAWAY, a bounded grace for the requests in flight, then a close with
//!   `H3_NO_ERROR`, whether or not the client goes away by itself.
//!
//! Deadlines (`grpc-timeout`), credentials and message sizes are not here: they belong to one tower
//! layer over the service, so that HTTP/2 and HTTP/3 behave the same.
//!
//! Not supported, by choice: server push, extended CONNECT, WebTransport, HTTP datagrams, dynamic
//! QPACK tables (`h3` has none), priorities, 0-RTT requests.

#![forbid(unsafe_code)]

mod client;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod limits;
mod message;
mod quic;
mod server;

pub use client::{Channel, ChannelError, ChannelFuture, ResponseBody};
pub use error::{BoxError, ConnectionLost, TransportError};
pub use limits::{ALPN, QuicLimits, ServerLimits, transport_config};
pub use server::{PeerInfo, RequestBody, ServeError, TakenBy, serve_connection};
