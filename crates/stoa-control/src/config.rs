//! What the control server is told, and every limit it has.

use std::{
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use stoa_core::RoomTimeout;
use stoa_token::Verifier;

use crate::{capacity::CapacitySettings, ended::CallObserver, tenants::Tenant};

/// Where the service gets the time of day from.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Everything [`crate::ControlServer::bind`] needs.
pub struct ControlConfig {
    /// Where to listen. Each address is bound for TCP (HTTP/2) and for UDP (HTTP/3); port 0 picks a
    /// port that is free for both.
    pub listen: Vec<SocketAddr>,
    /// Who the node is.
    pub identity: TlsIdentity,
    /// Who may vouch for callers with a client certificate. `None`: certificates are not asked for.
    /// Where it is given, a certificate is optional, but one that is shown must be valid, and bound to a
    /// tenant.
    pub client_ca: Option<Arc<RootCertStore>>,
    /// Who shares the node.
    pub tenants: Vec<Tenant>,
    /// What join tokens are checked with. With no key in it, none is taken.
    pub tokens: Verifier,
    /// Where the node keeps what has to survive it: the bans. `None`: in memory, until it ends.
    pub state_directory: Option<PathBuf>,
    /// What the transports bear.
    pub transport: TransportLimits,
    /// What the service bears.
    pub service: ServiceLimits,
    /// What rooms are unless their creators say otherwise.
    pub rooms: RoomDefaults,
    /// What the node may use.
    pub capacity: CapacitySettings,
    /// The daemon's version, for `GetStatus`.
    pub version: String,
    /// When the process started, for `GetStatus`.
    pub start_time: SystemTime,
    /// The time of day, for everything that carries a time.
    pub clock: Clock,
    /// Who is told of each call when it has ended. `None`: nobody, and it costs nothing.
    pub on_call_ended: Option<CallObserver>,
}

impl ControlConfig {
    /// A configuration with the default limits and the system's clock; nobody may call yet.
    pub fn new(listen: Vec<SocketAddr>, identity: TlsIdentity) -> Self {
        Self {
            listen,
            identity,
            client_ca: None,
            tenants: Vec::new(),
            tokens: Verifier::default(),
            state_directory: None,
            transport: TransportLimits::default(),
            service: ServiceLimits::default(),
            rooms: RoomDefaults::default(),
            capacity: CapacitySettings::default(),
            version: String::new(),
            start_time: SystemTime::now(),
            clock: Arc::new(SystemTime::now),
            on_call_ended: None,
        }
    }
}

/// A certificate and its key.
pub struct TlsIdentity {
    /// The certificate itself, then those between it and the CA.
    pub chain: Vec<CertificateDer<'static>>,
    /// The certificate's private key.
    pub key: PrivateKeyDer<'static>,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsIdentity({} certificates)", self.chain.len())
    }
}

/// What the transports bear, the same for HTTP/2 and HTTP/3. The defaults are for a handful of
/// signalling services that each watch thousands of rooms over one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportLimits {
    /// Connections at the same time, both transports together; further ones are turned away.
    /// Default: 1,024.
    pub connections: usize,
    /// Calls at the same time on one connection; further ones wait at the caller. A watch is a call
    /// for as long as it lasts. Default: 4,096.
    pub streams_per_connection: u32,
    /// The largest header list of a request, in bytes as HTTP counts them. Default: 16 KiB.
    pub header_list_bytes: u32,
    /// The largest request message, in bytes; an SDP offer of 64 KiB fits with room to spare.
    /// Default: 128 KiB.
    pub message_bytes: usize,
    /// What one call may have sent and not been read, in bytes: the flow-control window of a
    /// stream. Default: 256 KiB.
    pub stream_window: u32,
    /// What all calls of a connection together may have sent and not been read. Default: 1 MiB.
    pub connection_window: u32,
    /// How long TLS and QUIC handshakes, and the first bytes after them, may take. Default: 5 s.
    pub handshake: Duration,
    /// How often a silent connection is asked for a sign of life. Default: 10 s.
    pub keep_alive: Duration,
    /// How long a connection lives without one. Default: 30 s.
    pub idle: Duration,
    /// The longest that a unary call may take, and a stream until its first message; the caller's
    /// own deadline may be shorter. Default: 30 s.
    pub call: Duration,
    /// How long calls under way may go on after the shutdown began. Default: 5 s.
    pub grace: Duration,
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            streams_per_connection: 4096,
            header_list_bytes: 16 * 1024,
            message_bytes: 128 * 1024,
            stream_window: 256 * 1024,
            connection_window: 1024 * 1024,
            handshake: Duration::from_secs(5),
            keep_alive: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            call: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

impl TransportLimits {
    /// The first limit that no transport could keep to, if there is one.
    pub(crate) fn impossible(&self) -> Option<&'static str> {
        // RFC 9113, section 6.9.2: no window is larger.
        const LARGEST_WINDOW: u32 = (1 << 31) - 1;
        let window = |bytes| (1..=LARGEST_WINDOW).contains(&bytes);
        [
            ("connections", self.connections > 0),
            ("streams_per_connection", self.streams_per_connection > 0),
            ("header_list_bytes", self.header_list_bytes > 0),
            ("message_bytes", self.message_bytes > 0),
            ("stream_window", window(self.stream_window)),
            ("connection_window", window(self.connection_window)),
            ("handshake", !self.handshake.is_zero()),
            ("keep_alive", !self.keep_alive.is_zero()),
            ("idle", self.idle > self.keep_alive),
            ("call", !self.call.is_zero()),
        ]
        .into_iter()
        .find_map(|(name, possible)| (!possible).then_some(name))
    }
}

/// What rooms are unless their creators say otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomDefaults {
    /// After how long without anybody in it a room is closed. Default: it stays.
    pub empty_timeout: Option<RoomTimeout>,
    /// After how long without anybody who is heard a room is closed. Default: it stays.
    pub idle_timeout: Option<RoomTimeout>,
}

/// What the service bears. The defaults are for a node with thousands of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLimits {
    /// Watches at the same time. Default: 16,384.
    pub watchers: usize,
    /// Calls of a tenant at the same time, watches apart. One is under way until its answer has been taken, of which each
    /// that waits costs some kilobytes. Default: 16,384.
    pub calls_of_a_tenant: usize,
    /// Events that are held for each room, for watchers that are slow or come back. About 400 bytes
    /// each. Default: 1,024.
    pub events_per_room: usize,
    /// Events that are held for each tenant, for watchers of all rooms. They are shared with the rooms'
    /// own. Default: 4,096.
    pub events_per_tenant: usize,
    /// How long a watch is silent before it gets a bookmark. Default: 15 s.
    pub bookmark: Duration,
    /// How many `request_id`s are remembered; while there are as many, further calls with one are
    /// refused. About 4 KiB each for Join. Default: 65,536.
    pub request_ids: usize,
    /// How long a `request_id` is remembered. Default: ten minutes, as the API promises.
    pub request_id_lifetime: Duration,
    /// How often one person may join in a minute; as many may come at once. Default: 120.
    pub joins_per_subject: u32,
    /// How many bad credentials may come from one source address in a minute. Those beyond are answered
    /// with RATE_EXCEEDED. Default: 60.
    pub refusals_per_source: u32,
    /// Connections at the same time from one source address, to the control API and as many to WHIP and WHEP.
    /// A signalling service has one or two; people behind one address have one each while they come in.
    /// Default: 256.
    pub connections_per_source: usize,
    /// Connections to WHIP and WHEP at the same time. Default: 4,096.
    pub whip_connections: usize,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            watchers: 16_384,
            calls_of_a_tenant: 16_384,
            events_per_room: 1024,
            events_per_tenant: 4096,
            bookmark: Duration::from_secs(15),
            request_ids: 65_536,
            request_id_lifetime: Duration::from_secs(600),
            joins_per_subject: 120,
            refusals_per_source: 60,
            connections_per_source: 256,
            whip_connections: 4096,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_possible_and_nonsense_is_named() {
        let limits = TransportLimits::default();
        assert_eq!(limits.impossible(), None);
        let window = TransportLimits {
            stream_window: u32::MAX,
            ..limits.clone()
        };
        assert_eq!(window.impossible(), Some("stream_window"));
        let idle = TransportLimits {
            idle: limits.keep_alive,
            ..limits
        };
        assert_eq!(idle.impossible(), Some("idle"));
    }
}
