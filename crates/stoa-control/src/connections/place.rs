//! The place of one connection: whose it is, and when it has to go.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use stoa_core::TenantId;
use tokio::sync::{Notify, watch};

use super::{Connections, Crowded};
use crate::{
    gauge::{Counted, Gauge},
    rates::Source,
};

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
pub(super) struct Seat(watch::Sender<Option<Parting>>);

impl Seat {
    /// The connection has to end, and how.
    pub(super) fn part(&self, how: Parting) {
        self.0.send_if_modified(|parting| {
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
    tenant: OnceLock<(TenantId, Gauge)>,
    proven: Notify,
    strangers: Gauge,
    refused: AtomicUsize,
}

/// One call's place among those under way, until its answer has been taken.
pub(crate) type CallPlace = Arc<Counted>;

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
            strangers: Gauge::default(),
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

    /// Somebody has shown what this tenant lets in, and is not one of its callers. The connection keeps its place from
    /// now on, where the tenant has no more than are left for the others; it stays a stranger's otherwise, which
    /// is no refusal.
    pub fn keep(&self, tenant: &TenantId) {
        if self.tenant.get().is_some() {
            return;
        }
        let seated = self
            .connections
            .seat(&self.source, self.number, tenant, usize::MAX);
        if let Ok(calls) = seated {
            // No other request can have done so: a place is seated once.
            let _ = self.tenant.set((tenant.clone(), calls));
            self.proven.notify_one();
        }
    }

    /// Completes when the place is somebody else's, and the connection has to end at once.
    pub async fn given_away(&self) {
        let mut parting = self.seat.0.subscribe();
        // Its sender is in the seat.
        let _ = parting.wait_for(|how| *how == Some(Parting::Now)).await;
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
    pub(crate) fn strangers_call(&self) -> Option<CallPlace> {
        self.strangers.count_in_below(STRANGERS_CALLS).map(Arc::new)
    }

    /// Begins a call of somebody who has shown one; `None` if the connection's tenant has as many as may be.
    pub(crate) fn callers_call(&self) -> Option<CallPlace> {
        let Some((_, calls)) = self.tenant.get() else {
            // The connection has just been given away.
            return self.strangers_call();
        };
        let most = self.connections.calls_of_a_tenant;
        calls.count_in_below(most).map(Arc::new)
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
        let mut parting = self.seat.0.subscribe();
        let parting = parting.wait_for(Option::is_some).await;
        // Its sender is in the seat.
        parting.ok().and_then(|how| *how).unwrap_or(Parting::Now)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let tenant = self.tenant.get().map(|(tenant, _)| tenant);
        let mut table = self.connections.table();
        table.leave(&self.source, self.number, tenant);
    }
}
