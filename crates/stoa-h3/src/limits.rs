//! Every limit of a connection, in one place.

use std::time::Duration;

use quinn::{IdleTimeout, TransportConfig, VarInt};

/// The protocol name that both sides put into their TLS configuration (RFC 9114 section 3.1).
pub const ALPN: &[u8] = b"h3";

/// Streams in one direction that the peer may have open: HTTP/3 needs three (control and the two of
/// QPACK); the rest is room for types this side does not know and refuses.
const PEER_UNI_STREAMS: u32 = 8;

/// The largest payload of one non-DATA frame that is read, as a multiple of the limit on a header
/// section. Between once and this, the peer gets an answer (431); beyond it, a reset.
const FRAME_PER_FIELD_SECTION: u64 = 2;

/// The limits of one QUIC connection; [`transport_config`] applies them.
///
/// The defaults are tuned for a control plane: many small calls, a few long streams, and a peer
/// that is known but not trusted with this process's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuicLimits {
    /// Requests that the peer may have open at a time. Further ones wait at the peer. Default 256.
    pub concurrent_requests: u32,
    /// Bytes of one stream that may be received and not yet read. Default 1 MiB.
    pub stream_receive_window: u32,
    /// Bytes of all streams together that may be received and not yet read: what a connection's
    /// receiving side costs at most. Handlers that leave this much unread stall the connection for
    /// the others, as with HTTP/2. Default 8 MiB.
    pub receive_window: u32,
    /// Bytes of all streams together that may be sent and not yet acknowledged: what a
    /// connection's sending side costs at most. Default 4 MiB.
    pub send_window: u64,
    /// How long a connection lives on without a packet from the peer; the smaller of both sides'
    /// values holds. Millisecond resolution, at most 49 days. Default 30 seconds.
    pub idle_timeout: Duration,
    /// How often a packet is sent on an otherwise idle connection, so that neither the idle timeout
    /// nor a NAT ends it; less than half of the idle timeout makes sense. `None`: never.
    /// Default 10 seconds.
    pub keep_alive_interval: Option<Duration>,
}

impl Default for QuicLimits {
    fn default() -> Self {
        Self {
            concurrent_requests: 256,
            stream_receive_window: 1 << 20,
            receive_window: 8 << 20,
            send_window: 4 << 20,
            idle_timeout: Duration::from_secs(30),
            keep_alive_interval: Some(Duration::from_secs(10)),
        }
    }
}

/// The transport configuration for either side of a connection.
///
/// quinn alone leaves the connection's receive window unbounded and the keep-alive off; server and
/// client should both start from here. Server-initiated requests do not exist in HTTP/3, so the
/// client's `concurrent_requests` is only an upper bound that h3 enforces as zero.
pub fn transport_config(limits: &QuicLimits) -> TransportConfig {
    let idle_ms = u32::try_from(limits.idle_timeout.as_millis()).unwrap_or(u32::MAX);
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(limits.concurrent_requests))
        .max_concurrent_uni_streams(VarInt::from_u32(PEER_UNI_STREAMS))
        .stream_receive_window(VarInt::from_u32(limits.stream_receive_window))
        .receive_window(VarInt::from_u32(limits.receive_window))
        .send_window(limits.send_window)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(idle_ms))))
        .keep_alive_interval(limits.keep_alive_interval)
        // No HTTP datagrams: a peer that sends them anyway must not fill a buffer.
        .datagram_receive_buffer_size(None);
    config
}

/// The limits of the HTTP/3 server on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Requests in work at a time, at least one. Further ones wait unread for a place, as many as the
    /// transport lets the peer open ([`QuicLimits::concurrent_requests`]). Default 256.
    pub concurrent_requests: usize,
    /// Bytes of a header or trailer section, counted as RFC 9114 section 4.2.2 does: the decoded
    /// names and values, and 32 for each field. Announced to the peer, and enforced: a bigger
    /// request is answered with status 431, a much bigger one is reset unread. Default 16 KiB.
    pub field_section_size: u32,
    /// How long a request's headers may take to arrive once its stream is open. Default 10 seconds.
    pub header_timeout: Duration,
    /// How long requests in flight may take after the shutdown began. Default 10 seconds.
    pub shutdown_grace: Duration,
    /// Requests that may break, over the whole life of the connection: those that fail before their
    /// headers were read, that the client resets without stopping the response, or whose response
    /// fails. h3 or quinn keep some hundred bytes of each until the connection ends, so beyond this
    /// it is closed with `H3_EXCESSIVE_LOAD`. An orderly cancel does not count. Default 16,384.
    pub broken_requests: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            concurrent_requests: 256,
            field_section_size: FIELD_SECTION_SIZE,
            header_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(10),
            broken_requests: 16_384,
        }
    }
}

/// What a client accepts as a response's header or trailer section, counted as
/// [`ServerLimits::field_section_size`] is. gRPC's rich errors travel in the trailers.
pub(crate) const FIELD_SECTION_SIZE: u32 = 16 << 10;

/// The largest non-DATA frame that the adapter passes on for a given limit on field sections.
pub(crate) fn frame_payload_limit(field_section_size: u32) -> u64 {
    FRAME_PER_FIELD_SECTION * u64::from(field_section_size)
}
