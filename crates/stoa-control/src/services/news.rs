//! What watchers are told of the node itself.

use std::time::SystemTime;

use stoa_api::v1::{self, NodeState};
use tokio::sync::watch;

use crate::{
    convert,
    lifecycle::{Lifecycle, Phase, Standing},
};

/// What a watcher has been told, and what there is to tell.
pub(crate) struct NodeNews {
    standings: watch::Receiver<Standing>,
    told: (NodeState, Option<SystemTime>),
}

impl NodeNews {
    /// For a watcher that takes the node for one that serves.
    pub(crate) fn new(lifecycle: &Lifecycle) -> Self {
        Self {
            standings: lifecycle.standings(),
            told: (NodeState::Serving, None),
        }
    }

    /// What the watcher does not know yet. It knows it then.
    pub(crate) fn next(&mut self) -> Option<v1::NodeUpdated> {
        let Standing {
            phase, deadline, ..
        } = *self.standings.borrow_and_update();
        let now = (state(phase), deadline);
        if now == self.told {
            return None;
        }
        self.told = now;
        Some(v1::NodeUpdated {
            state: now.0.into(),
            drain_deadline: deadline.map(convert::timestamp),
        })
    }

    /// Wakes when there may be something.
    pub(crate) async fn changed(&mut self) {
        if self.standings.changed().await.is_err() {
            // Nobody is left who could change anything.
            std::future::pending().await
        }
    }
}

/// As callers see it.
pub(crate) fn state(phase: Phase) -> NodeState {
    match phase {
        Phase::Serving => NodeState::Serving,
        Phase::Draining | Phase::Stopping => NodeState::Draining,
    }
}
