//! The handle to a running server: to control it, and to see how it stands.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use prometheus::core::Collector;
use stoa_token::{Reason, Verifier};
use tokio::sync::watch;

use crate::{
    calls::Calls,
    capacity::{Capacity, Figures, Newcomer, Report, Resource},
    connections::{Connections, Crowded},
    directory::{Directory, Headcount},
    gauge::{Gauge, Tally},
    lifecycle::{Lifecycle, Phase},
    settings::Current,
    tls::Tls,
};

/// Controls and observes a running [`crate::ControlServer`]. Clones are the same handle.
#[derive(Clone)]
pub struct ControlHandle {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) calls: Calls,
    pub(crate) directory: Arc<Directory>,
    pub(crate) watchers: Gauge,
    pub(crate) connections: Connections,
    pub(crate) whip_connections: Connections,
    pub(crate) resyncs: Tally,
    pub(crate) tokens: Verifier,
    pub(crate) capacity: Capacity,
    pub(crate) current: Current,
    pub(crate) tls: Arc<watch::Sender<Tls>>,
}

impl ControlHandle {
    /// From now on CreateRoom and Join are refused with NODE_DRAINING and the health service says
    /// NOT_SERVING; everything else goes on, until the deadline if there is one. Watchers are told. Returns whether that
    /// is so: a node that is about to end keeps the deadline that it has told.
    #[must_use = "a node that is about to end takes no other deadline"]
    pub fn start_draining(&self, deadline: Option<SystemTime>) -> bool {
        self.lifecycle.drain(deadline)
    }

    /// The same for a node whose end has begun: nobody can call it off, or move the deadline. Returns the deadline,
    /// which is the one that was told before if that is earlier.
    pub fn start_ending(&self, deadline: SystemTime) -> SystemTime {
        self.lifecycle.end(deadline)
    }

    /// Completes when the deadline of a drain is there that has not been called off.
    pub async fn deadline_reached(&self) {
        self.lifecycle.deadline_reached().await;
    }

    /// How many join tokens were refused since the start, by whichever entrance, for each reason.
    pub fn refused_tokens(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.tokens.refused()
    }

    /// How many connections were turned away since the start, by port and reason.
    pub fn refused_connections(&self) -> impl Iterator<Item = (&'static str, Crowded, u64)> {
        let ports = [
            ("control", self.connections.refused()),
            ("whip", self.whip_connections.refused()),
        ];
        ports
            .into_iter()
            .flat_map(|(port, refused)| refused.map(|(reason, count)| (port, reason, count)))
    }

    /// Takes what was measured of the node, and says how full it is: once a second.
    pub fn measure(&self, figures: &Figures) -> Arc<Report> {
        self.capacity.measure(figures, self.people())
    }

    /// How full the node is, since it was measured first.
    pub fn capacity(&self) -> Option<Arc<Report>> {
        self.capacity.report()
    }

    /// How many people are in the node's rooms.
    pub fn people(&self) -> usize {
        self.directory.counts().participants
    }

    /// How often something was refused because the node was too full, and for want of what.
    pub fn refused_for_capacity(&self) -> BTreeMap<(Newcomer, Resource), u64> {
        self.capacity.refused()
    }

    /// Takes new rooms and participants again, and has no deadline any more. Returns whether the node does: not when it
    /// is about to stop.
    pub fn stop_draining(&self) -> bool {
        self.lifecycle.call_off_draining()
    }

    /// Whether new rooms and participants are refused.
    pub fn is_draining(&self) -> bool {
        self.lifecycle.phase() >= Phase::Draining
    }

    /// What callers ask for and how it ends, for Prometheus.
    pub fn calls(&self) -> Box<dyn Collector> {
        Box::new(self.calls.clone())
    }

    /// How many participants there are, by role and state.
    pub fn headcount(&self) -> Headcount {
        self.directory.headcount()
    }

    /// What is open now, and what has happened.
    pub fn stats(&self) -> ControlStats {
        ControlStats {
            rooms: self.directory.counts().rooms,
            connections: self.connections.count(),
            watchers: self.watchers.count(),
            resyncs: self.resyncs.total(),
        }
    }
}

/// What is open now, and what has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlStats {
    /// Rooms.
    pub rooms: usize,
    /// Connections, both transports together, those in their handshake included.
    pub connections: usize,
    /// Watches.
    pub watchers: usize,
    /// How often a watcher had fallen behind what is held and was given a snapshot, since the start.
    pub resyncs: u64,
}
