//! The place of one connection: whose it is, and when it has to go.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use stoa_core::TenantId;
use tokio::sync::{Notify, watch};

use super::{Connections, Crowded};
use crate::rates::Source;

/// Calls without a credential at the same time on one connection: probes of health, of which a caller has one.
const STRANGERS_CALLS: usize = 16;

/// After how many refused calls a connection is ended that has shown no good credential yet: each answer that is not
/// read costs some kilobytes.
const REFUSALS: usize = 256;

/// How a connection has to end that would go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parting {
    /// At once: its place is somebody else's.
    Now,
    /// When what is under way has been answered.
    Gently,
}

/// What the table and the connection's own task have in common.
#[derive(Default)]
pub(super) struct Seat {
    parting: watch::Sender<Option<Parting>>,
    is_given_away: AtomicBool,
}

impl Seat {
    /// It is somebody else's from now on. The table is locked meanwhile.
    pub(super) fn give_away(&self) {
        self.is_given_away.store(true, Ordering::Relaxed);
        self.part(Parting::Now);
    }

    fn part(&self, how: Parting) {
        self.parting.send_if_modified(|parting| {
            let is_new = parting.is_none() || how == Parting::Now;
            if is_new {
                *parting = Some(how);
            }
            is_new
        });
    }
}

/// The place of a connection, until it is dropped.
pub struct Place {
    connections: Connections,
    source: Source,
    number: u64,
    seat: Arc<Seat>,
    /// Whose callers have shown a credential on it first, and how many calls that tenant has under way.
    tenant: OnceLock<(TenantId, Arc<AtomicUsize>)>,
    proven: Notify,
    strangers: Arc<AtomicUsize>,
    refused: AtomicUsize,
}

/// A call that is counted until it is dropped, which is when its answer has been taken.
pub(crate) struct UnderWay(Arc<AtomicUsize>);

impl Place {
    pub(super) fn new(
        connections: Connections,
        source: Source,
        number: u64,
        seat: Arc<Seat>,
    ) -> Self {
        Self {
            connections,
            source,
            number,
            seat,
            tenant: OnceLock::new(),
            proven: Notify::new(),
            strangers: Arc::default(),
            refused: AtomicUsize::new(0),
        }
    }

    /// Somebody of this tenant has shown a good credential. The connection is theirs from the first such call on, and
    /// its place cannot be taken from it any more.
    ///
    /// # Errors
    /// [`Crowded::Tenant`] if the tenant has as many as it may: the connection ends then. It is counted.
    pub(crate) fn claim(&self, tenant: &TenantId) -> Result<(), Crowded> {
        if self.tenant.get().is_some() {
            return Ok(());
        }
        match self.connections.claim(&self.source, self.number, tenant) {
            Ok(calls) => {
                // No other call can have claimed it: a place is claimed once.
                let _ = self.tenant.set((tenant.clone(), calls));
                self.proven.notify_one();
                Ok(())
            }
            Err(Crowded::Tenant) => {
                self.seat.part(Parting::Gently);
                Err(Crowded::Tenant)
            }
            // Another call has just claimed it, or it ends anyway.
            Err(_) => Ok(()),
        }
    }

    /// How many connections this tenant has.
    pub(crate) fn of_tenant(&self, tenant: &TenantId) -> usize {
        self.connections.of_tenant(tenant)
    }

    /// Completes once somebody has shown a good credential; for one who waits.
    pub(crate) async fn proven(&self) {
        self.proven.notified().await;
    }

    /// Begins a call of somebody who has shown no credential; `None` if this connection has as many as may be.
    pub(crate) fn strangers_call(&self) -> Option<UnderWay> {
        UnderWay::begin(&self.strangers, STRANGERS_CALLS)
    }

    /// Begins a call of somebody who has shown one; `None` if the connection's tenant has as many as may be.
    pub(crate) fn callers_call(&self) -> Option<UnderWay> {
        match self.tenant.get() {
            Some((_, calls)) => UnderWay::begin(calls, self.connections.calls_of_a_tenant),
            // The connection has just been given away.
            None => self.strangers_call(),
        }
    }

    /// A call was refused for its credential. After too many of them, and not one good one, the connection ends.
    pub(crate) fn refuse(&self) {
        let before = self.refused.fetch_add(1, Ordering::Relaxed);
        if before >= REFUSALS && self.tenant.get().is_none() {
            self.seat.part(Parting::Now);
        }
    }

    /// Completes when the connection has to end, and says how.
    pub(crate) async fn parting(&self) -> Parting {
        let mut parting = self.seat.parting.subscribe();
        let parting = parting.wait_for(Option::is_some).await;
        // Its sender is in the seat.
        parting.ok().and_then(|how| *how).unwrap_or(Parting::Now)
    }
}

impl UnderWay {
    /// Counts one more, unless there are `most`.
    fn begin(count: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let call = Self(Arc::clone(count));
        let others = count.fetch_add(1, Ordering::Relaxed);
        (others < most).then_some(call)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.connections.table();
        if !self.seat.is_given_away.load(Ordering::Relaxed) {
            let tenant = self.tenant.get().map(|(tenant, _)| tenant);
            table.leave(&self.source, self.number, tenant);
        }
    }
}
