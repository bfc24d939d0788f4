//! Every limit of the HTTP side, with the reason for its value.

use std::time::Duration;

/// Requests at the same time on one HTTP/2 connection. A client has one under way, or two.
pub const STREAMS_PER_CONNECTION: u32 = 16;

/// How many header lines a request has at most.
pub const HEADERS: usize = 64;

/// The longest head of a request, in bytes: a token of 4 KiB fits with room to spare.
pub const HEADER_BYTES: usize = 16 * 1024;

/// The longest offer, in bytes; as over gRPC.
pub const OFFER_BYTES: usize = stoa_core::limits::MAX_OFFER_BYTES;

/// The longest fragment with candidates, in bytes: as many candidates as a session takes.
pub const FRAGMENT_BYTES: usize = 16 * 1024;

/// How long a TLS handshake and the first bytes of HTTP/2 may take, and the head of a request: also how long an idle HTTP/1.1
/// connection stays.
pub const HEAD: Duration = Duration::from_secs(10);

/// How long the body of a request may take.
pub const BODY: Duration = Duration::from_secs(10);

/// How often a silent HTTP/2 connection is asked for a sign of life, and how long that may take.
pub const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// After how long a connection takes no further request: whoever never reads their answers, or answers
/// pings and does nothing else, keeps a place for as long.
pub const AGE: Duration = Duration::from_secs(120);

/// How long requests under way may go on after the shutdown began, or after [`AGE`].
pub const GRACE: Duration = Duration::from_secs(5);

/// Sessions that were opened here and are not over: as many as a worker takes participants. Each keeps
/// its offer, a few kilobytes.
pub const SESSIONS: usize = 50_000;

/// How often sessions are forgotten that ended in another way than by DELETE.
pub const SWEEP: Duration = Duration::from_secs(30);

/// How long a browser may remember the answer to a preflight request.
pub const PREFLIGHT_SECONDS: u32 = 3600;

/// Origins in the configuration.
pub const ORIGINS: usize = 256;

/// ICE servers in the configuration.
pub const ICE_SERVERS: usize = 16;
