//! What tenants may forward a second, where they have a limit: each worker takes its part of it now and then,
//! apart from the way of packets, and somebody says whose packets are beyond it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use stoa_core::{Node, PacketQuota, Shares, WorkerId, limits::QUOTA_PERIOD};

/// How often it is said of a tenant that it is over its quota, by all workers together.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// What all workers have of it in common.
pub(crate) struct SharedQuotas {
    shares: Shares,
    quotas: Vec<PacketQuota>,
    /// Of each quota.
    reports: Vec<Report>,
    start: Instant,
}

/// What is to be said of a tenant.
#[derive(Default)]
struct Report {
    /// How many packets were withheld since it was said.
    withheld: AtomicU64,
    /// When it may be said again, in milliseconds since the start.
    due: AtomicU64,
}

impl SharedQuotas {
    /// For so many workers; nothing where no tenant has a quota.
    pub(crate) fn new(now: Instant, quotas: &[PacketQuota], workers: usize) -> Option<Arc<Self>> {
        (!quotas.is_empty()).then(|| {
            Arc::new(Self {
                shares: Shares::new(quotas, workers),
                quotas: quotas.to_vec(),
                reports: quotas.iter().map(|_| Report::default()).collect(),
                start: now,
            })
        })
    }

    /// Counts what was withheld of a tenant's. Returns how much it was since it was last said, when it is time
    /// to say so again: to one of the workers.
    fn withheld(&self, now: Instant, index: usize, packets: u64) -> Option<u64> {
        let report = self.reports.get(index)?;
        let all = report.withheld.fetch_add(packets, Ordering::Relaxed) + packets;
        let due = report.due.load(Ordering::Relaxed);
        let elapsed = now.saturating_duration_since(self.start);
        if all == 0 || elapsed < Duration::from_millis(due) {
            return None;
        }
        let next = u64::try_from((elapsed + REPORT_INTERVAL).as_millis()).ok()?;
        let mine = report
            .due
            .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed);
        mine.ok()?;
        Some(report.withheld.swap(0, Ordering::Relaxed))
    }
}

/// A worker's hand in it.
pub(crate) struct Quotas {
    shared: Arc<SharedQuotas>,
    worker: WorkerId,
    /// When it takes its part next.
    due: Instant,
}

impl Quotas {
    /// Lets a node keep to its part.
    pub(crate) fn new(
        now: Instant,
        shared: Arc<SharedQuotas>,
        worker: WorkerId,
        node: &mut Node,
    ) -> Self {
        node.set_quotas(now, &shared.shares.of(worker));
        Self {
            shared,
            worker,
            due: now + QUOTA_PERIOD,
        }
    }

    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Takes its part anew, if it is time.
    pub(crate) fn renew(&mut self, now: Instant, node: &mut Node) {
        if now < self.due {
            return;
        }
        self.due = now + QUOTA_PERIOD;
        let Self { shared, worker, .. } = self;
        node.renew_quotas(now, |index, demand| {
            if let Some(packets) = shared.withheld(now, index, demand.withheld) {
                let quota = shared.quotas.get(index);
                tracing::warn!(
                    tenant = quota.map(|quota| quota.tenant.as_str()),
                    packets_per_second = quota.map(|quota| quota.packets_per_second),
                    packets_over_quota = packets,
                    "a tenant's rooms want to forward more than they may"
                );
            }
            shared.shares.renew(*worker, index, &demand)
        });
    }
}

#[cfg(test)]
mod tests {
    use stoa_core::TenantId;

    use super::*;

    #[test]
    fn it_is_said_once_in_a_while_by_one_of_the_workers() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let quota = |tenant| PacketQuota {
            tenant: TenantId::new(tenant).unwrap(),
            packets_per_second: 1,
        };
        assert!(SharedQuotas::new(start, &[], 2).is_none());
        let shared = SharedQuotas::new(start, &[quota("a"), quota("b")], 2).unwrap();
        assert_eq!(shared.withheld(start, 0, 0), None);
        assert_eq!(shared.withheld(start, 0, 5), Some(5));
        assert_eq!(shared.withheld(at(1), 0, 3), None);
        assert_eq!(shared.withheld(at(1), 1, 2), Some(2), "another tenant");
        assert_eq!(shared.withheld(at(9), 0, 3), None);
        assert_eq!(shared.withheld(at(10), 0, 0), Some(6));
        assert_eq!(shared.withheld(at(20), 0, 0), None, "nothing since");
    }
}
