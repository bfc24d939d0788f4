//! The node's figures for Prometheus.

mod capacity;
mod catalogue;
mod family;
mod kernel;
mod reloads;

use std::time::Instant;

use prometheus::{Registry, TextEncoder, process_collector::ProcessCollector, proto::MetricFamily};
use stoa_core::LobbyStats;
use stoa_net::{Lateness, WorkerStatus};

pub use catalogue::{CATALOGUE, Kind, Metric};
use family::Family;

use crate::{node::Node, spans::Spans};

/// What is scraped.
pub(crate) struct Metrics {
    version: String,
    /// What counts for itself.
    registry: Registry,
}

impl Metrics {
    pub(crate) fn new(version: &str, node: &Node) -> Self {
        let registry = Registry::new();
        let once = "each is registered once";
        registry
            .register(Box::new(ProcessCollector::for_self()))
            .expect(once);
        registry.register(node.control.calls()).expect(once);
        Self {
            version: version.to_owned(),
            registry,
        }
    }

    /// Everything, in the text format of Prometheus.
    ///
    /// # Errors
    /// The encoder's.
    pub(crate) fn text(&self, node: &Node) -> prometheus::Result<String> {
        let mut families = self.of_node(node);
        families.extend(capacity::families(&node.control));
        let mut lost = Family::of(&catalogue::LOG_LINES_LOST);
        lost.count(&[], node.log_lines.lost());
        families.push(lost);
        let mut held_back = Family::of(&catalogue::LOG_HELD_BACK);
        for (level, count) in node.log_lines.held_back() {
            held_back.count(&[level], count);
        }
        families.push(held_back);
        families.extend(of_spans(&node.spans));
        families.extend(reloads::families(&node.reloads));
        families.extend(of_workers(&node.media.status(), Instant::now()));
        families.extend(of_lobbies(&node.media.lobby_stats()));
        families.push(panics(node));
        let mut all: Vec<MetricFamily> = families.into_iter().filter_map(Family::finish).collect();
        all.extend(self.registry.gather());
        TextEncoder::new().encode_to_string(&all)
    }

    fn of_node(&self, node: &Node) -> Vec<Family> {
        let stats = node.control.stats();
        let one = |metric, value: u64| {
            let mut family = Family::of(metric);
            family.count(&[], value);
            family
        };
        let mut build = Family::of(&catalogue::BUILD_INFO);
        build.count(&[&self.version], 1);
        let mut participants = Family::of(&catalogue::PARTICIPANTS);
        for (role, state, count) in node.control.headcount().iter() {
            participants.count(&[role, state], count as u64);
        }
        let mut tokens = Family::of(&catalogue::TOKENS_REFUSED);
        for (reason, count) in node.control.refused_tokens() {
            tokens.count(&[reason.name()], count);
        }
        let mut connections = Family::of(&catalogue::CONNECTIONS_REFUSED);
        for (port, reason, count) in node.control.refused_connections() {
            connections.count(&[port, reason.name()], count);
        }
        vec![
            build,
            one(&catalogue::DRAINING, node.control.is_draining().into()),
            one(&catalogue::ROOMS, stats.rooms as u64),
            participants,
            tokens,
            one(&catalogue::CONTROL_CONNECTIONS, stats.connections as u64),
            connections,
            one(&catalogue::CONTROL_WATCHERS, stats.watchers as u64),
            one(&catalogue::CONTROL_RESYNCS, stats.resyncs),
        ]
    }
}

fn of_spans(spans: &Spans) -> [Family; 2] {
    let (mut sent, mut lost) = (
        Family::of(&catalogue::SPANS_SENT),
        Family::of(&catalogue::SPANS_LOST),
    );
    sent.count(&[], spans.sent());
    lost.count(&[], spans.lost());
    [sent, lost]
}

fn of_workers(workers: &[WorkerStatus], now: Instant) -> Vec<Family> {
    let kernel = kernel::dropped();
    let mut families = Vec::new();
    let mut each = |metric, value: &dyn Fn(&WorkerStatus) -> f64| {
        let mut family = Family::of(metric);
        for (number, worker) in workers.iter().enumerate() {
            family.value(&[&number.to_string()], value(worker));
        }
        families.push(family);
    };
    each(&catalogue::WORKER_ROOMS, &|worker| worker.rooms as f64);
    each(&catalogue::WORKER_SEATS, &|worker| worker.seats as f64);
    each(&catalogue::WORKER_AUDIENCES, &|worker| {
        worker.audiences as f64
    });
    each(&catalogue::WORKER_TIMERS, &|worker| worker.timers as f64);
    each(&catalogue::WORKER_BUSY, &|worker| worker.busy.as_secs_f64());
    each(&catalogue::WORKER_SILENT, &|worker| {
        let silent = worker.published.map(|at| now.saturating_duration_since(at));
        silent.unwrap_or_default().as_secs_f64()
    });
    each(&catalogue::RECEIVED, &|worker| {
        worker.datagrams_received as f64
    });
    each(&catalogue::RECEIVED_BYTES, &|worker| {
        worker.bytes_received as f64
    });
    each(&catalogue::SENT, &|worker| worker.datagrams_sent as f64);
    each(&catalogue::SENT_BYTES, &|worker| worker.bytes_sent as f64);
    each(&catalogue::SEND_QUEUE, &|worker| worker.send_queue as f64);
    each(&catalogue::KERNEL_DROPPED, &|worker| {
        kernel.get(&worker.port).copied().unwrap_or_default() as f64
    });
    families.push(lateness(workers));
    families.push(dropped(workers));
    families
}

fn lateness(workers: &[WorkerStatus]) -> Family {
    let bounds = Lateness::BOUNDS.map(|bound| bound.as_secs_f64());
    let mut family = Family::of(&catalogue::WORKER_LATENESS);
    for (number, worker) in workers.iter().enumerate() {
        let Lateness { counts, sum } = &worker.lateness;
        family.classes(&[&number.to_string()], &bounds, counts, sum.as_secs_f64());
    }
    family
}

fn dropped(workers: &[WorkerStatus]) -> Family {
    let mut family = Family::of(&catalogue::DROPPED);
    for (number, worker) in workers.iter().enumerate() {
        for (reason, count) in &worker.datagrams_dropped {
            family.count(&[reason, &number.to_string()], *count);
        }
    }
    family
}

fn panics(node: &Node) -> Family {
    let mut family = Family::of(&catalogue::PANICS);
    let (workers, lobbies) = (node.media.status(), node.media.lobby_stats());
    family.count(&["media"], workers.iter().map(|worker| worker.panics).sum());
    family.count(&["lobby"], lobbies.iter().map(|lobby| lobby.panics).sum());
    family.count(&["control"], node.panics.total());
    family
}

fn of_lobbies(lobbies: &[LobbyStats]) -> Vec<Family> {
    let mut sessions = Family::of(&catalogue::LOBBY_SESSIONS);
    let mut stages = Family::of(&catalogue::LOBBY_STAGES);
    let mut refused = Family::of(&catalogue::LOBBY_DATAGRAMS_REFUSED);
    for (number, lobby) in lobbies.iter().enumerate() {
        let number = number.to_string();
        sessions.count(&[&number], lobby.sessions as u64);
        for (stage, count) in [
            ("prepared", lobby.prepared),
            ("keyed", lobby.keyed),
            ("refused", lobby.refused),
            ("lost", lobby.lost),
        ] {
            stages.count(&[&number, stage], count);
        }
        refused.count(&[&number], lobby.datagrams_refused);
    }
    vec![sessions, stages, refused]
}
