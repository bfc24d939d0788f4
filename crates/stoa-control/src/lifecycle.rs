//! Whether the node takes new work, and the handle to change that.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use prometheus::core::Collector;
use stoa_token::{Reason, Verifier};
use tokio::sync::watch;

use crate::{
    calls::Calls,
    capacity::{Capacity, Figures, Newcomer, Report, Resource},
    directory::{Directory, Headcount},
    server::Tls,
    settings::Current,
};

/// Where the node is between its start and its end. It goes forward, but that a drain may be called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everything is served.
    Serving,
    /// What runs goes on, nothing new is taken.
    Draining,
    /// Streams end, connections close.
    Stopping,
}

/// The node's phase, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) phase: Phase,
    /// When whatever is left ends, if that is known.
    pub(crate) deadline: Option<SystemTime>,
}

/// The node's standing, shared by everything that must know it.
#[derive(Debug, Clone)]
pub(crate) struct Lifecycle {
    standing: Arc<watch::Sender<Standing>>,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        Self {
            standing: Arc::new(watch::Sender::new(Standing {
                phase: Phase::Serving,
                deadline: None,
            })),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.standing.borrow().phase
    }

    pub(crate) fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Takes nothing new from now on, and ends by the deadline if there is one. One that was said before holds until
    /// there is another.
    pub(crate) fn drain(&self, deadline: Option<SystemTime>) {
        self.standing.send_if_modified(|standing| {
            let before = *standing;
            standing.phase = standing.phase.max(Phase::Draining);
            standing.deadline = deadline.or(standing.deadline);
            *standing != before
        });
    }

    /// Goes to a later phase; an earlier one changes nothing.
    pub(crate) fn advance(&self, to: Phase) {
        self.standing.send_if_modified(|standing| {
            let later = to > standing.phase;
            standing.phase = to.max(standing.phase);
            later
        });
    }

    /// Takes new work again, unless the node is about to stop, as it is once there is a deadline.
    pub(crate) fn call_off_draining(&self) -> bool {
        self.standing.send_if_modified(|standing| {
            let is_free = standing.phase == Phase::Draining && standing.deadline.is_none();
            if is_free {
                standing.phase = Phase::Serving;
            }
            is_free
        });
        self.phase() == Phase::Serving
    }

    /// The standing, and every change of it.
    pub(crate) fn standings(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Completes once the node is in the phase or a later one.
    pub(crate) fn reached(&self, phase: Phase) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.standing.subscribe();
        async move {
            if receiver.wait_for(|now| now.phase >= phase).await.is_err() {
                // Nobody is left who could stop the node.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Counts something for as long as the guard lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge(Arc<AtomicUsize>);

/// Counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Gauge {
    /// Counts one more; how many there may be is known elsewhere.
    pub(crate) fn count_in(&self) -> Counted {
        self.0.fetch_add(1, Ordering::AcqRel);
        Counted(Arc::clone(&self.0))
    }

    /// Counts one more, unless there are `limit` of them.
    pub(crate) fn enter(&self, limit: usize) -> Option<Counted> {
        let more = |now: usize| (now < limit).then_some(now + 1);
        let counted = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        counted.ok().map(|_| Counted(Arc::clone(&self.0)))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Counts what has happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<AtomicU64>);

impl Tally {
    /// It has happened once more.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Controls and observes a running [`crate::ControlServer`]. Clones are the same handle.
#[derive(Clone)]
pub struct ControlHandle {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) calls: Calls,
    pub(crate) directory: Arc<Directory>,
    pub(crate) watchers: Gauge,
    pub(crate) connections: Gauge,
    pub(crate) resyncs: Tally,
    pub(crate) tokens: Verifier,
    pub(crate) capacity: Capacity,
    pub(crate) current: Current,
    pub(crate) tls: Arc<watch::Sender<Tls>>,
}

impl ControlHandle {
    /// From now on CreateRoom and Join are refused with NODE_DRAINING and the health service says
    /// NOT_SERVING; everything else goes on, until the deadline if there is one. Watchers are told.
    pub fn start_draining(&self, deadline: Option<SystemTime>) {
        self.lifecycle.drain(deadline);
    }

    /// How many join tokens were refused since the start, by whichever entrance, for each reason.
    pub fn refused_tokens(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.tokens.refused()
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

    /// Takes new rooms and participants again. Returns whether the node does: not when it is about to stop.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_earlier_phase_changes_nothing() {
        let lifecycle = Lifecycle::new();
        lifecycle.advance(Phase::Stopping);
        lifecycle.advance(Phase::Draining);
        assert_eq!(lifecycle.phase(), Phase::Stopping);
        lifecycle.reached(Phase::Draining).await;
    }

    #[test]
    fn a_drain_may_be_called_off_and_an_end_may_not() {
        let lifecycle = Lifecycle::new();
        lifecycle.advance(Phase::Draining);
        assert!(lifecycle.call_off_draining());
        assert_eq!(lifecycle.phase(), Phase::Serving);
        lifecycle.advance(Phase::Stopping);
        assert!(!lifecycle.call_off_draining());
        assert_eq!(lifecycle.phase(), Phase::Stopping);
    }

    #[test]
    fn a_drain_with_a_deadline_ends_the_node() {
        let lifecycle = Lifecycle::new();
        let deadline = Some(SystemTime::UNIX_EPOCH);
        lifecycle.drain(deadline);
        lifecycle.drain(None);
        assert_eq!(lifecycle.standing().deadline, deadline, "it stays");
        assert!(!lifecycle.call_off_draining());
        assert_eq!(lifecycle.phase(), Phase::Draining);
    }

    #[test]
    fn a_gauge_has_a_limit_and_counts_down() {
        let gauge = Gauge::default();
        let first = gauge.enter(1);
        assert!(first.is_some() && gauge.enter(1).is_none());
        drop(first);
        assert_eq!(gauge.count(), 0);
    }
}
