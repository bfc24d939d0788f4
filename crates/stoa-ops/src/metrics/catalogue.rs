//! Every metric that the node has, but for those of the process (`process_*`).
//!
//! docs/metrics.md says what each means and what to do when it moves; a test holds the two together. Labels
//! are bounded: a worker's or a lobby's number, a reason, a role, a state, a method, a code. Never a room, a
//! participant, a tenant or an address.

/// What a metric is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only ever goes up, until the process ends.
    Counter,
    /// How much there is now.
    Gauge,
    /// How many there were in each class.
    Histogram,
}

/// A metric, as it is described.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels, in the order of their names.
    pub labels: &'static [&'static str],
    /// What it means, in a sentence.
    pub help: &'static str,
}

const WORKER: &[&str] = &["worker"];
const LOBBY: &[&str] = &["lobby"];

macro_rules! catalogue {
    ($($constant:ident: $kind:ident $name:literal $labels:expr, $help:literal;)+) => {
        $(
            pub(super) const $constant: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                labels: $labels,
                help: $help,
            };
        )+

        /// Every metric of the node, in the order of docs/metrics.md.
        pub const CATALOGUE: &[Metric] = &[$($constant),+];
    };
}

catalogue! {
    BUILD_INFO: Gauge "stoa_build_info" &["version"],
        "Always 1; the label has the version of the daemon.";
    DRAINING: Gauge "stoa_draining" &[],
        "1 while the node refuses new rooms and participants, otherwise 0.";
    ROOMS: Gauge "stoa_rooms" &[],
        "Rooms that exist.";
    PARTICIPANTS: Gauge "stoa_participants" &["role", "state"],
        "Participants in all rooms, by role and by state of their connection.";
    SATURATION: Gauge "stoa_saturation_ratio" &["resource"],
        "Share of a resource that is taken, or would be if those who are in were talked to as much as lately.";
    WORKER_SATURATION: Gauge "stoa_worker_saturation_ratio" WORKER,
        "The same of each media worker's time.";
    SATURATION_LEVEL: Gauge "stoa_saturation_level" &[],
        "What is refused for want of capacity: 0 nothing, 1 rooms, 2 listeners too, 3 all participants too.";
    LISTENERS_FIT: Gauge "stoa_listeners_fit" &[],
        "How many more listeners fit before they are refused.";
    LISTENER_COST: Gauge "stoa_listener_cost_ratio" &[],
        "Share of one media worker's time that one more listener takes, as learned from the node's own figures.";
    ADMISSION_REFUSED: Counter "stoa_admission_refused_total" &["newcomer", "resource"],
        "Rooms, listeners and those for the stage that were refused for want of capacity, by whichever entrance.";
    WORKER_ROOMS: Gauge "stoa_worker_rooms" WORKER,
        "Rooms that are at home with the media worker.";
    WORKER_SEATS: Gauge "stoa_worker_seats" WORKER,
        "Participants whose datagrams come to the media worker's port.";
    WORKER_AUDIENCES: Gauge "stoa_worker_audiences" WORKER,
        "Rooms that are heard from the media worker's seats.";
    WORKER_TIMERS: Gauge "stoa_worker_timers" WORKER,
        "Moments that something of the media worker's rooms and seats is due at.";
    WORKER_BUSY: Counter "stoa_worker_busy_seconds_total" WORKER,
        "Time that the media worker was at work; the rest it waited.";
    WORKER_LATENESS: Histogram "stoa_worker_timer_lateness_seconds" WORKER,
        "How late the media worker was at its timers.";
    WORKER_SILENT: Gauge "stoa_worker_silent_seconds" WORKER,
        "For how long the media worker has not said how it stands; it does so every second.";
    RECEIVED: Counter "stoa_datagrams_received_total" WORKER,
        "Datagrams received, over UDP and TCP.";
    RECEIVED_BYTES: Counter "stoa_received_bytes_total" WORKER,
        "Bytes of the datagrams received, without the headers of IP and UDP.";
    SENT: Counter "stoa_datagrams_sent_total" WORKER,
        "Datagrams sent, over UDP and TCP.";
    SENT_BYTES: Counter "stoa_sent_bytes_total" WORKER,
        "Bytes of the datagrams sent, over UDP and TCP, without the headers of IP, UDP and TCP.";
    SEND_QUEUE: Gauge "stoa_send_queue_datagrams" WORKER,
        "Datagrams that wait because the kernel has no room for them.";
    DROPPED: Counter "stoa_dropped_total" &["reason", "worker"],
        "Datagrams, packets and TCP connections that were dropped or refused, by reason.";
    KERNEL_DROPPED: Counter "stoa_kernel_receive_dropped_total" WORKER,
        "Datagrams that the kernel dropped because the media worker's receive buffer was full.";
    PANICS: Counter "stoa_panics_contained_total" &["part"],
        "Panics that ended one participant, one call or connection, or nobody, and nothing else, by where they were met: media, lobby or control.";
    LOBBY_SESSIONS: Gauge "stoa_lobby_sessions" LOBBY,
        "Sessions that are being set up in the lobby.";
    LOBBY_STAGES: Counter "stoa_lobby_joins_total" &["lobby", "stage"],
        "Joins that came to a stage: prepared (answered), keyed (ICE and DTLS done), refused (the lobby was full), lost (ended before they were keyed).";
    LOBBY_DATAGRAMS_REFUSED: Counter "stoa_lobby_datagrams_refused_total" LOBBY,
        "Datagrams that a session in the lobby refused.";
    CONTROL_CONNECTIONS: Gauge "stoa_control_connections" &[],
        "Connections of callers of the control API.";
    CONNECTIONS_REFUSED: Counter "stoa_connections_refused_total" &["port", "reason"],
        "Connections that were turned away, by port (control, whip) and reason: full, or source where one source address had as many as it may.";
    CONTROL_WATCHERS: Gauge "stoa_control_watchers" &[],
        "Watches that are open.";
    CONTROL_RESYNCS: Counter "stoa_control_watcher_resyncs_total" &[],
        "Watchers that had fallen behind and were given a snapshot.";
    CONTROL_CALLS: Counter "stoa_control_calls_total" &["code", "method"],
        "Calls of the control API that have ended, by method and canonical code.";
    CONTROL_REFUSALS: Counter "stoa_control_refusals_total" &["reason"],
        "Calls of the control API that failed, by the reason that the caller was told.";
    TOKENS_REFUSED: Counter "stoa_join_tokens_refused_total" &["reason"],
        "Join tokens that were refused, by whichever entrance, by the reason that their holders are not told.";
    LOG_LINES_LOST: Counter "stoa_log_lines_lost_total" &[],
        "Log lines that nobody took in time or that could not be written.";
    LOG_HELD_BACK: Counter "stoa_log_lines_held_back_total" &["level"],
        "Warnings and errors that were not written to the log, since their place had said as much too often.";
    SPANS_SENT: Counter "stoa_spans_sent_total" &[],
        "Spans of control calls that the OpenTelemetry collector has taken.";
    SPANS_LOST: Counter "stoa_spans_lost_total" &[],
        "Spans of control calls that were lost, since the collector did not take them in time.";
    CONFIG_RELOADS: Counter "stoa_config_reloads_total" &["result"],
        "How often the configuration was read again since the start, by result.";
    CONFIG_SUCCESSFUL: Gauge "stoa_config_last_reload_successful" &[],
        "1 if the configuration was good when it was last read, otherwise 0.";
    CONFIG_SUCCESS_TIME: Gauge "stoa_config_last_reload_success_timestamp_seconds" &[],
        "When the configuration that holds was read.";
    CERTIFICATE_RELOADS: Counter "stoa_certificate_reloads_total" &["result"],
        "How often files of certificates had changed since the start, by whether they were good.";
    CERTIFICATE_EXPIRY: Gauge "stoa_certificate_expiry_timestamp_seconds" &["port"],
        "When the certificate that a port shows is over.";
    CONTROL_DURATION: Histogram "stoa_control_call_duration_seconds" &["method"],
        "How long unary calls of the control API took.";
}
