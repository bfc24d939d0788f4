//! How a tenant's quota is shared between workers, without anybody who decides.
//!
//! Each worker says now and then how much its rooms want, reads what the others have said, and takes what is
//! its part of that. What it gives back is free for others, and it takes only what is free: so all shares
//! together are never more than the quota, whenever who looks (docs/adr/0016).

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    ids::WorkerId,
    quota::{Demand, PacketQuota},
};

/// Which part of its quota a worker has at least, together with all others who want nothing: one in so many.
/// A room that begins to talk there is heard before the worker has got more.
const FLOOR: u64 = 20;

/// By which part a demand shrinks at a time when it is over: after ten times it is a quarter. People pause
/// between sentences, and do not want less.
const DECAY: u64 = 8;

/// The quotas of all tenants that have one, shared by all workers.
#[derive(Debug)]
pub struct Shares {
    workers: usize,
    /// What does not change when others do is the same for who has the shares of before.
    shared: Vec<Arc<Shared>>,
}

/// One of them.
#[derive(Debug)]
struct Shared {
    quota: PacketQuota,
    /// What no worker has.
    free: AtomicU64,
    parts: Vec<Part>,
}

/// What one worker has of it.
#[derive(Debug)]
struct Part {
    /// How much it wants.
    demand: AtomicU64,
    /// How much it has. It is the only one to change it.
    share: AtomicU64,
}

impl Shares {
    /// As many quotas as there are, each in equal parts for so many workers.
    pub fn new(quotas: &[PacketQuota], workers: usize) -> Self {
        let none = Self {
            workers: workers.max(1),
            shared: Vec::new(),
        };
        none.changed(quotas)
    }

    /// These quotas in the place of those, for the same workers. One that is as it was is the same: what workers have of
    /// it changes here and there. One that is another for its tenant begins in the parts that the workers have of the
    /// one before, so that who talks is not cut to an equal part at first; all others in equal parts.
    pub fn changed(&self, quotas: &[PacketQuota]) -> Self {
        let before = self.shared.iter();
        let before: HashMap<_, _> = before.map(|had| (&had.quota.tenant, had)).collect();
        let shared = |quota: &PacketQuota| match before.get(&quota.tenant) {
            Some(had) if had.quota == *quota => Arc::clone(had),
            Some(had) => Arc::new(had.resized(quota.clone())),
            None => Arc::new(Shared::new(quota.clone(), self.workers)),
        };
        Self {
            workers: self.workers,
            shared: quotas.iter().map(shared).collect(),
        }
    }

    /// The quotas, in their order.
    pub fn quotas(&self) -> impl ExactSizeIterator<Item = &PacketQuota> {
        self.shared.iter().map(|shared| &shared.quota)
    }

    /// What a worker has of each now, in their order.
    pub fn of(&self, worker: WorkerId) -> Vec<PacketQuota> {
        let share = |shared: &Shared| PacketQuota {
            tenant: shared.quota.tenant.clone(),
            packets_per_second: shared.of(worker),
        };
        let shared = self.shared.iter();
        shared.map(|shared| share(shared)).collect()
    }

    /// Takes what a worker was to forward since the last time, of the quota with this index. Returns what it
    /// has from now on, in packets a second.
    pub fn renew(&self, worker: WorkerId, index: usize, demand: &Demand) -> u64 {
        let shared = self.shared.get(index);
        shared.map_or(0, |shared| shared.renew(worker, demand.per_second()))
    }
}

impl Shared {
    fn new(quota: PacketQuota, workers: usize) -> Self {
        let nothing = (0..workers).map(|_| (0, 0)).collect();
        Self::parted(quota, nothing)
    }

    /// Another quota for the same tenant. Workers may change their parts of this one meanwhile, so what is read here is
    /// of no one moment, and none takes more than is left.
    fn resized(&self, quota: PacketQuota) -> Self {
        let (before, now) = (self.quota.packets_per_second, quota.packets_per_second);
        let part = |part: &Part| {
            let share = u128::from(part.share.load(Ordering::Relaxed));
            let share = share * u128::from(now) / u128::from(before.max(1));
            let share = u64::try_from(share).unwrap_or(now);
            (part.demand.load(Ordering::Relaxed), share)
        };
        let parts = self.parts.iter().map(part).collect();
        Self::parted(quota, parts)
    }

    /// In parts for workers who want so much, and have at least so much as long as there is any. What is left over is for
    /// all alike.
    fn parted(quota: PacketQuota, parts: Vec<(u64, u64)>) -> Self {
        let mut free = quota.packets_per_second;
        let mut take = |wanted: u64| {
            let taken = wanted.min(free);
            free -= taken;
            taken
        };
        let parts: Vec<_> = parts
            .into_iter()
            .map(|(demand, least)| (demand, take(least)))
            .collect();
        let each = free / parts.len().max(1) as u64;
        free -= each * parts.len() as u64;
        let part = |(demand, least)| Part {
            demand: AtomicU64::new(demand),
            share: AtomicU64::new(least + each),
        };
        Self {
            quota,
            free: AtomicU64::new(free),
            parts: parts.into_iter().map(part).collect(),
        }
    }

    fn of(&self, WorkerId(worker): WorkerId) -> u64 {
        let part = self.parts.get(usize::from(worker));
        part.map_or(0, |part| part.share.load(Ordering::Relaxed))
    }

    fn renew(&self, WorkerId(worker): WorkerId, demand: u64) -> u64 {
        let Some(part) = self.parts.get(usize::from(worker)) else {
            return 0;
        };
        let before = part.demand.load(Ordering::Relaxed);
        let demand = demand.max(before - before.div_ceil(DECAY));
        part.demand.store(demand, Ordering::Relaxed);
        let demands = self.parts.iter().map(|part| &part.demand);
        let demands = demands.map(|demand| demand.load(Ordering::Relaxed));
        let aim = aim(self.quota.packets_per_second, demand, demands);
        let had = part.share.load(Ordering::Relaxed);
        let has = match had.checked_sub(aim) {
            Some(too_much) => {
                self.free.fetch_add(too_much, Ordering::Relaxed);
                aim
            }
            None => had + self.take(aim - had),
        };
        part.share.store(has, Ordering::Relaxed);
        has
    }

    /// Takes of what is free, at most so much. Returns how much that was.
    fn take(&self, wanted: u64) -> u64 {
        let rest = |free: u64| Some(free - free.min(wanted));
        let taken = self
            .free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
        // Never refused: there is always a rest.
        taken.map_or(0, |free| free.min(wanted))
    }
}

/// What is right for a worker with such a demand where all workers have these, its own among them. Everybody
/// has a floor. If all of the demands can be met, they are, and what is left over is for all alike; if not, each
/// has its part by what it wants beyond the floor.
fn aim(quota: u64, demand: u64, demands: impl Iterator<Item = u64> + Clone) -> u64 {
    let workers = demands.clone().count().max(1) as u64;
    let floor = quota / (FLOOR * workers);
    let rest = quota - floor * workers;
    let beyond = |demand: u64| demand.saturating_sub(floor).min(quota);
    let all: u128 = demands.map(|demand| u128::from(beyond(demand))).sum();
    let own = beyond(demand);
    match u64::try_from(all) {
        Ok(all) if all <= rest => floor + own + (rest - all) / workers,
        _ => {
            let part = u128::from(rest) * u128::from(own) / all.max(1);
            floor + u64::try_from(part).unwrap_or(rest)
        }
    }
}

#[cfg(test)]
mod tests;
