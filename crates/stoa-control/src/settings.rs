//! What may change while the server serves: who may call, and how much they may have.
//!
//! It is replaced as a whole, so that no call ever sees a part of the old and a part of the new. A call that has
//! begun ends by what it began with.

use std::{collections::HashMap, sync::Arc};

use stoa_core::TenantId;
use tokio::sync::watch;

use crate::{
    authenticate::{Authenticator, Caller},
    config::{ControlConfig, RoomDefaults},
    tenants::Quotas,
};

/// One state of it.
pub(crate) struct Settings {
    /// Who may call.
    pub(crate) authenticator: Authenticator,
    /// How much each tenant may have.
    pub(crate) quotas: HashMap<TenantId, Quotas>,
    /// What rooms are unless their creators say otherwise.
    pub(crate) rooms: RoomDefaults,
    /// How often one person may join in a minute.
    pub(crate) joins_per_subject: u32,
    /// How many bad credentials may come from one source address in a minute.
    pub(crate) refusals_per_source: u32,
    /// How many connections one source address may have at a time, at each port.
    pub(crate) connections_per_source: usize,
}

impl Settings {
    pub(crate) fn of(config: &ControlConfig) -> Self {
        let tenants = config.tenants.iter();
        Self {
            authenticator: Authenticator::new(&config.tenants),
            quotas: tenants
                .map(|tenant| (tenant.id.clone(), tenant.quotas.clone()))
                .collect(),
            rooms: config.rooms,
            joins_per_subject: config.service.joins_per_subject,
            refusals_per_source: config.service.refusals_per_source,
            connections_per_source: config.service.connections_per_source,
        }
    }
}

/// The state that holds now. Clones are the same.
#[derive(Clone)]
pub(crate) struct Current(Arc<watch::Sender<Arc<Settings>>>);

impl Current {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new(settings))))
    }

    pub(crate) fn get(&self) -> Arc<Settings> {
        Arc::clone(&self.0.borrow())
    }

    pub(crate) fn set(&self, settings: Settings) {
        self.0.send_replace(Arc::new(settings));
    }

    /// Completes once what this caller has shown is no credential of theirs any more.
    pub(crate) fn revoked(&self, caller: Caller) -> impl Future<Output = ()> + Send + 'static {
        let mut settings = self.0.subscribe();
        let shown = settings.borrow().authenticator.shown_by(&caller);
        async move {
            let is_gone = |settings: &Arc<Settings>| {
                let known = settings.authenticator.shown_by(&caller);
                shown.iter().any(|hash| !known.contains(hash))
            };
            if settings.wait_for(is_gone).await.is_err() {
                // Nobody is left who could change anything.
                std::future::pending::<()>().await;
            }
        }
    }
}
