//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): one HTTP request lets a client into a room, to be heard
//! or to listen, with a join token and nothing else. For encoders, players and simple pages.
//!
//! ```text
//! POST   /whip, /whip/{room}   an offer that sends: enters as the token says          201, answer
//! POST   /whep, /whep/{room}   an offer that only receives: enters as a listener      201, answer
//! PATCH  /session/{id}         further candidates, or an ICE restart (RFC 8840)       204, or 200
//! DELETE /session/{id}         leaves                                                 200
//! ```
//!
//! The way of a request: `server` (TCP, TLS, HTTP/1.1 or 2) → `route` (which resource, cross-origin
//! rules, every error as a problem, RFC 9457) → `enter` or `session` → the control service's
//! [`Entrance`](stoa_control::Entrance), by which tokens enter over gRPC, too.

#![forbid(unsafe_code)]

mod config;
mod cross_origin;
mod enter;
mod fragment;
#[doc(hidden)]
pub mod fuzz;
pub mod limits;
mod message;
mod offer;
mod problem;
mod route;
mod server;
mod service;
mod session;
mod sessions;

pub use config::{ConfigError, IceServer, Origins, WhipConfig};
pub use server::{BindError, PreparedCertificate, PreparedReload, WhipHandle, WhipServer};
