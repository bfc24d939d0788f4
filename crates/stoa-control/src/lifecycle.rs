//! Where the node stands between its start and its end.

use std::{sync::Arc, time::SystemTime};

use tokio::sync::watch;

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
    /// Whether the end has begun, so that nobody can call it off or move its deadline.
    pub(crate) is_final: bool,
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
                is_final: false,
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
    /// there is another. Returns whether that is so: an end that has begun keeps its own deadline.
    pub(crate) fn drain(&self, deadline: Option<SystemTime>) -> bool {
        let mut holds = true;
        self.standing.send_if_modified(|standing| {
            let before = *standing;
            if standing.is_final {
                holds = deadline.is_none();
                return false;
            }
            standing.phase = standing.phase.max(Phase::Draining);
            standing.deadline = deadline.or(standing.deadline);
            *standing != before
        });
        holds
    }

    /// Takes nothing new from now on, and ends by the deadline; nobody can call that off. An earlier deadline that was
    /// said before holds. Returns the one that does.
    pub(crate) fn end(&self, deadline: SystemTime) -> SystemTime {
        let mut holds = deadline;
        self.standing.send_if_modified(|standing| {
            let before = *standing;
            standing.phase = standing.phase.max(Phase::Draining);
            holds = standing
                .deadline
                .map_or(deadline, |told| told.min(deadline));
            standing.deadline = Some(holds);
            standing.is_final = true;
            *standing != before
        });
        holds
    }

    /// Goes to a later phase; an earlier one changes nothing.
    pub(crate) fn advance(&self, to: Phase) {
        self.standing.send_if_modified(|standing| {
            let later = to > standing.phase;
            standing.phase = to.max(standing.phase);
            later
        });
    }

    /// Takes new work again, unless the node is about to stop. A deadline that was said is none any more.
    pub(crate) fn call_off_draining(&self) -> bool {
        self.standing.send_if_modified(|standing| {
            let is_free = standing.phase == Phase::Draining && !standing.is_final;
            if is_free {
                standing.phase = Phase::Serving;
                standing.deadline = None;
            }
            is_free
        });
        self.phase() == Phase::Serving
    }

    /// Completes when a deadline that was said is there, and has not been called off or moved.
    pub(crate) async fn deadline_reached(&self) {
        let mut standings = self.standing.subscribe();
        loop {
            let deadline = standings.borrow_and_update().deadline;
            let reached = async {
                match deadline {
                    Some(deadline) => {
                        let left = deadline.duration_since(SystemTime::now());
                        tokio::time::sleep(left.unwrap_or_default()).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = reached => return,
                // Whoever could change it is this.
                _ = standings.changed() => {}
            }
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn a_deadline_is_moved_and_called_off_until_the_end_begins() {
        let lifecycle = Lifecycle::new();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(lifecycle.drain(Some(at(5))));
        assert!(lifecycle.drain(None));
        assert_eq!(lifecycle.standing().deadline, Some(at(5)), "it stays");
        assert!(lifecycle.drain(Some(at(9))));
        assert_eq!(lifecycle.standing().deadline, Some(at(9)));
        assert!(lifecycle.call_off_draining());
        assert_eq!(lifecycle.standing().deadline, None, "it is called off");

        assert!(lifecycle.drain(Some(at(5))));
        assert_eq!(lifecycle.end(at(7)), at(5), "the earlier one was told");
        assert!(lifecycle.drain(None), "it drains");
        assert!(!lifecycle.drain(Some(at(3))) && !lifecycle.call_off_draining());
        assert_eq!(lifecycle.standing().deadline, Some(at(5)));
        assert_eq!(lifecycle.phase(), Phase::Draining);
    }

    #[tokio::test]
    async fn a_deadline_is_reached_unless_it_is_called_off() {
        let lifecycle = Lifecycle::new();
        let reached = lifecycle.deadline_reached();
        tokio::pin!(reached);
        let in_an_hour = SystemTime::now() + Duration::from_secs(3_600);
        let mut is_reached = async |deadline| {
            assert!(lifecycle.drain(Some(deadline)));
            // Looks once.
            let looked = tokio::time::timeout(Duration::ZERO, &mut reached).await;
            looked.is_ok()
        };
        assert!(!is_reached(in_an_hour).await);
        assert!(lifecycle.call_off_draining());
        assert!(!is_reached(in_an_hour).await, "another one");
        assert!(lifecycle.drain(Some(SystemTime::UNIX_EPOCH)));
        assert!(lifecycle.call_off_draining());
        assert!(!is_reached(in_an_hour).await, "what was called off");
        assert!(is_reached(SystemTime::UNIX_EPOCH).await);
    }
}
