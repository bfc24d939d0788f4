//! What tenants may forward a second, where they have a limit: each worker takes its part of it now and then,
//! apart from the way of packets, and somebody says whose packets are beyond it. Other limits are put in the place of
//! these while the workers run; each worker goes by them from its next turn on.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use stoa_core::{Node, PacketQuota, Shares, WorkerId, limits::QUOTA_PERIOD};

use crate::latest::{Latest, Seen};

/// How often it is said of a tenant that it is over its quota, by all workers together.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// What all workers have of it in common.
pub(crate) struct SharedQuotas {
    shares: Shares,
    /// Of each quota. Whoever goes by quotas of before counts here, too.
    reports: Vec<Arc<Report>>,
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
    /// For so many workers.
    pub(crate) fn new(now: Instant, quotas: &[PacketQuota], workers: usize) -> Self {
        Self {
            shares: Shares::new(quotas, workers),
            reports: quotas.iter().map(|_| Arc::default()).collect(),
            start: now,
        }
    }

    /// Other quotas in the place of these, if they differ.
    pub(crate) fn changed(&self, quotas: &[PacketQuota]) -> Option<Self> {
        if self.shares.quotas().eq(quotas) {
            return None;
        }
        let tenants = self.shares.quotas().map(|quota| &quota.tenant);
        let before: HashMap<_, _> = tenants.zip(&self.reports).collect();
        let report = |quota: &PacketQuota| before.get(&quota.tenant).copied().cloned();
        let reports = quotas.iter().map(|quota| report(quota).unwrap_or_default());
        Some(Self {
            shares: self.shares.changed(quotas),
            reports: reports.collect(),
            start: self.start,
        })
    }

    /// Whether nobody has a limit.
    fn are_none(&self) -> bool {
        self.reports.is_empty()
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
    shared: Seen<SharedQuotas>,
    worker: WorkerId,
    /// When it takes its part next, where there is one.
    due: Instant,
}

impl Quotas {
    /// Lets a node keep to its part.
    pub(crate) fn new(
        now: Instant,
        shared: Arc<Latest<SharedQuotas>>,
        worker: WorkerId,
        node: &mut Node,
    ) -> Self {
        let shared = Seen::new(shared);
        node.set_quotas(now, &shared.value().shares.of(worker));
        Self {
            shared,
            worker,
            due: now + QUOTA_PERIOD,
        }
    }

    /// When it takes its part next, if anybody has a limit.
    pub(crate) fn due(&self) -> Option<Instant> {
        (!self.shared.value().are_none()).then_some(self.due)
    }

    /// Whether there are others to go by. It costs a comparison with what the processor has at hand.
    pub(crate) fn are_old(&self) -> bool {
        self.shared.is_old()
    }

    /// Lets the node keep to the newest, unless another thread is at them just now.
    pub(crate) fn follow(&mut self, now: Instant, node: &mut Node) {
        let had_none = self.shared.value().are_none();
        if !self.shared.renew() {
            return;
        }
        node.set_quotas(now, &self.shared.value().shares.of(self.worker));
        if had_none {
            self.due = now + QUOTA_PERIOD;
        }
    }

    /// Takes its part anew, if it is time.
    pub(crate) fn renew(&mut self, now: Instant, node: &mut Node) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        self.due = now + QUOTA_PERIOD;
        let (shared, worker) = (self.shared.value(), self.worker);
        node.renew_quotas(now, |index, demand| {
            if let Some(packets) = shared.withheld(now, index, demand.withheld) {
                let quota = shared.shares.quotas().nth(index);
                tracing::warn!(
                    tenant = quota.map(|quota| quota.tenant.as_str()),
                    packets_per_second = quota.map(|quota| quota.packets_per_second),
                    packets_over_quota = packets,
                    "a tenant's rooms want to forward more than they may"
                );
            }
            shared.shares.renew(worker, index, &demand)
        });
    }
}

#[cfg(test)]
mod tests {
    use stoa_core::TenantId;

    use super::*;

    fn quota(tenant: &str, packets_per_second: u64) -> PacketQuota {
        PacketQuota {
            tenant: TenantId::new(tenant).unwrap(),
            packets_per_second,
        }
    }

    #[test]
    fn it_is_said_once_in_a_while_by_one_of_the_workers() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let shared = SharedQuotas::new(start, &[quota("a", 1), quota("b", 1)], 2);
        assert_eq!(shared.withheld(start, 0, 0), None);
        assert_eq!(shared.withheld(start, 0, 5), Some(5));
        assert_eq!(shared.withheld(at(1), 0, 3), None);
        assert_eq!(shared.withheld(at(1), 1, 2), Some(2), "another tenant");
        assert_eq!(shared.withheld(at(9), 0, 3), None);
        let others = shared.changed(&[quota("c", 1), quota("a", 2)]).unwrap();
        assert_eq!(others.withheld(at(9), 1, 1), None, "the same, elsewhere");
        assert_eq!(others.withheld(at(10), 1, 0), Some(7));
        assert_eq!(shared.withheld(at(20), 0, 0), None, "nothing since");
    }

    #[test]
    fn only_what_differs_is_put_in_its_place() {
        let quotas = [quota("a", 1_000), quota("b", 1_000)];
        let shared = SharedQuotas::new(Instant::now(), &quotas, 2);
        assert!(shared.changed(&quotas).is_none());
        let none = shared.changed(&[]).expect("it differs");
        assert!(none.are_none() && none.changed(&[]).is_none());
        assert!(none.changed(&quotas).is_some_and(|some| !some.are_none()));
    }
}
