//! How the nodes of a house share what tenants may forward: as workers do, each for itself, at a time of its
//! own.

use std::time::{Duration, Instant};

use stoa_core::{PacketQuota, Shares, limits::QUOTA_PERIOD};

use super::{House, worker_id};

/// What the nodes share, and when each looks at it next.
pub(super) struct Sharing {
    shares: Shares,
    next: Vec<Instant>,
}

impl House {
    /// Limits what tenants forward from all nodes together, from now on.
    pub fn set_quotas(&mut self, now: Instant, quotas: &[PacketQuota]) {
        self.now = self.now.max(now);
        let shares = Shares::new(quotas, self.nodes.len());
        for worker in 0..self.nodes.len() {
            let parts = shares.of(worker_id(worker));
            self.at(now, worker).set_quotas(now, &parts);
        }
        // Threads do not start at the same moment.
        let begin = |worker| self.now + QUOTA_PERIOD + Duration::from_millis(7 * worker as u64);
        let next = (0..self.nodes.len()).map(begin).collect();
        self.sharing = Some(Sharing { shares, next });
    }

    /// When the first of them looks next.
    pub(super) fn next_share(&self) -> Option<Instant> {
        self.sharing.as_ref()?.next.iter().min().copied()
    }

    /// Those whose time has come take their part.
    pub(super) fn share(&mut self) {
        let Some(Sharing { shares, next }) = &mut self.sharing else {
            return;
        };
        for (worker, (node, next)) in self.nodes.iter_mut().zip(next).enumerate() {
            if *next <= self.now {
                *next = self.now + QUOTA_PERIOD;
                let worker = worker_id(worker);
                node.renew_quotas(self.now, |index, demand| {
                    shares.renew(worker, index, &demand)
                });
            }
        }
    }
}
