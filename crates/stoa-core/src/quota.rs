//! How many packets a second the rooms of a tenant may forward from a node.
//!
//! A packet to so many listeners costs as many. A tenant whose rooms are at home with several nodes has a
//! part of its quota at each ([`Shares`](crate::Shares)), which changes while they run.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use ahash::RandomState;

use crate::{ids::TenantId, limits::QUOTA_BURST};

/// How much of a tenant's is forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketQuota {
    /// Whose rooms it is about.
    pub tenant: TenantId,
    /// How many packets a second: each listener's copy is one. Nothing at all is forwarded with 0.
    pub packets_per_second: u64,
}

/// How much of a tenant's was to be forwarded in some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// How many packets were.
    pub forwarded: u64,
    /// How many were not, because of the quota.
    pub withheld: u64,
    /// In how much time.
    pub time: Duration,
}

impl Demand {
    /// How many packets a second would have been forwarded without a quota.
    pub fn per_second(&self) -> u64 {
        let wanted = u128::from(self.forwarded.saturating_add(self.withheld));
        let a_second = Duration::from_secs(1).as_nanos();
        let per_second = wanted * a_second / self.time.as_nanos().max(1);
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }
}

/// Which of a node's quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuotaIndex(usize);

/// What is left of one tenant's quota: a bucket that fills with time.
#[derive(Debug)]
struct Allowance {
    packets_per_second: u64,
    /// How many packets may still go, in billionths. A packet goes to all its listeners as soon as this is
    /// more than nothing, so that a room may be larger than the burst; what it takes too much is owed.
    balance: i128,
    /// When that was reckoned.
    at: Instant,
    forwarded: u64,
    withheld: u64,
    /// Since when those two are counted.
    since: Instant,
}

/// A packet of [`Allowance::balance`]: what a quota of one packet a second gives in a second.
const PACKET: i128 = 1_000_000_000;

impl Allowance {
    fn new(now: Instant, packets_per_second: u64) -> Self {
        let mut allowance = Self {
            packets_per_second,
            balance: 0,
            at: now,
            forwarded: 0,
            withheld: 0,
            since: now,
        };
        allowance.balance = allowance.burst();
        allowance
    }

    /// What it comes to when nothing is forwarded.
    fn burst(&self) -> i128 {
        self.in_time(QUOTA_BURST)
    }

    fn in_time(&self, time: Duration) -> i128 {
        let nanoseconds = i128::try_from(time.as_nanos()).unwrap_or(i128::MAX);
        i128::from(self.packets_per_second).saturating_mul(nanoseconds)
    }

    fn reckon(&mut self, now: Instant) {
        let time = now.saturating_duration_since(self.at);
        let balance = self.balance.saturating_add(self.in_time(time));
        self.balance = balance.min(self.burst());
        self.at = now;
    }

    /// Gives it another rate: what is left, or owed, until now came of the one that it had.
    fn change(&mut self, now: Instant, packets_per_second: u64) {
        self.reckon(now);
        self.packets_per_second = packets_per_second;
        self.reckon(now);
    }

    /// What it came to since it was last asked.
    fn demand(&mut self, now: Instant) -> Demand {
        let since = std::mem::replace(&mut self.since, now);
        Demand {
            forwarded: std::mem::take(&mut self.forwarded),
            withheld: std::mem::take(&mut self.withheld),
            time: now.saturating_duration_since(since),
        }
    }
}

/// The quotas of a node.
#[derive(Debug)]
pub(crate) struct Quotas {
    allowances: Vec<Allowance>,
    by_tenant: HashMap<TenantId, QuotaIndex, RandomState>,
}

impl Quotas {
    /// None at all.
    pub(crate) fn none(hasher: &RandomState) -> Self {
        Self {
            allowances: Vec::new(),
            by_tenant: HashMap::with_hasher(hasher.clone()),
        }
    }

    /// Has these from now on, and no others. What is left to a tenant that had one before, or what it owes, is as it was,
    /// and so is what it has wanted since it was last asked.
    pub(crate) fn replace(&mut self, now: Instant, quotas: &[PacketQuota]) {
        let before = std::mem::take(&mut self.allowances);
        let mut before: Vec<_> = before.into_iter().map(Some).collect();
        let mut allowance = |quota: &PacketQuota| {
            let index = self.of(quota.tenant.as_str());
            let had = index.and_then(|QuotaIndex(index)| before.get_mut(index)?.take());
            let rate = quota.packets_per_second;
            let mut allowance = had.unwrap_or_else(|| Allowance::new(now, rate));
            allowance.change(now, rate);
            allowance
        };
        let allowances = quotas.iter().map(&mut allowance).collect();
        self.allowances = allowances;
        self.by_tenant.clear();
        for (index, quota) in quotas.iter().enumerate() {
            self.by_tenant
                .insert(quota.tenant.clone(), QuotaIndex(index));
        }
    }

    /// Which quota a tenant has, if it has one.
    pub(crate) fn of(&self, tenant: &str) -> Option<QuotaIndex> {
        self.by_tenant.get(tenant).copied()
    }

    /// Whether nothing is left of it now.
    pub(crate) fn is_spent(&mut self, now: Instant, QuotaIndex(index): QuotaIndex) -> bool {
        self.allowances.get_mut(index).is_some_and(|allowance| {
            allowance.reckon(now);
            allowance.balance <= 0
        })
    }

    /// Takes what was forwarded.
    pub(crate) fn spend(&mut self, QuotaIndex(index): QuotaIndex, packets: u64) {
        if let Some(allowance) = self.allowances.get_mut(index) {
            allowance.balance -= i128::from(packets) * PACKET;
            allowance.forwarded += packets;
        }
    }

    /// Counts what was not.
    pub(crate) fn withhold(&mut self, QuotaIndex(index): QuotaIndex, packets: u64) {
        if let Some(allowance) = self.allowances.get_mut(index) {
            allowance.withheld += packets;
        }
    }

    /// Tells what each came to since the last time, and takes what it is from now on.
    pub(crate) fn renew(&mut self, now: Instant, mut renew: impl FnMut(usize, Demand) -> u64) {
        for (index, allowance) in self.allowances.iter_mut().enumerate() {
            let demand = allowance.demand(now);
            allowance.change(now, renew(index, demand));
        }
    }
}

#[cfg(test)]
mod tests;
