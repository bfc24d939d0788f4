//! How much a tenant has, and whether it may have more.

use std::{sync::Arc, time::Duration};

use stoa_api::v1::ErrorReason;
use stoa_core::{ParticipantId, RoomId, TenantId};
use tokio::time::Instant;

use super::pending::{Pending, UnderWay};
use crate::{
    authenticate::invalid_credential,
    directory::Directory,
    errors::Failure,
    gauge::Counted,
    rates::{Rate, Rates, rate_exceeded},
    settings::Current,
    tenants::{Quotas, may_take, within},
};

/// How many people's joins are counted at a time.
const SUBJECTS: usize = 65_536;

/// How many tenants' joins are counted at a time: more than any configuration has.
const TENANTS: usize = 65_536;

/// In which time a person's joins are counted.
const SUBJECT_PERIOD: Duration = Duration::from_secs(60);

/// Somebody who is being admitted.
pub(crate) type Entrant = (RoomId, ParticipantId);

/// One watch's place: among its tenant's, and among all that are counted.
pub(crate) type WatchPlace = (UnderWay<TenantId>, Counted);

/// The quotas of all tenants, and what is under way.
pub(crate) struct Ledger {
    current: Current,
    directory: Arc<Directory>,
    pub(crate) rooms: Pending<RoomId>,
    pub(crate) entrants: Pending<Entrant>,
    watches: Pending<TenantId>,
    joins: Rates<TenantId>,
    subjects: Rates<(TenantId, ParticipantId)>,
}

impl Ledger {
    pub(crate) fn new(current: Current, directory: Arc<Directory>) -> Self {
        Self {
            current,
            directory,
            rooms: Pending::default(),
            entrants: Pending::default(),
            watches: Pending::default(),
            joins: Rates::new(TENANTS),
            subjects: Rates::new(SUBJECTS),
        }
    }

    fn quotas(&self, tenant: &TenantId) -> Result<Quotas, Failure> {
        // Only whoever began before their tenant was taken out of the configuration has none.
        let quotas = self.current.get().quotas.get(tenant).cloned();
        quotas.ok_or_else(invalid_credential)
    }

    /// How many bans the tenant may make.
    pub(crate) fn bans(&self, tenant: &TenantId) -> Result<usize, Failure> {
        Ok(self.quotas(tenant)?.bans)
    }

    /// Begins to create a room.
    ///
    /// # Errors
    /// QUOTA_REACHED.
    pub(crate) fn create(
        &self,
        tenant: &TenantId,
        room: &RoomId,
    ) -> Result<UnderWay<RoomId>, Failure> {
        let quotas = self.quotas(tenant)?;
        self.rooms.begin(room.clone(), |begun| {
            let Some(limit) = quotas.rooms else {
                return Ok(());
            };
            let census = self.directory.census();
            // One that is there is refused for that.
            if census.has_room(room) {
                return Ok(());
            }
            let begun = begun.keys().filter(|other| *other != room);
            let own = begun.filter(|other| other.tenant() == tenant.as_str());
            let new = own.filter(|other| !census.has_room(other)).count();
            within("rooms", limit, census.of(tenant).rooms + new)
        })
    }

    /// Begins a watch, of so many that the node serves. Where tenants share it, none may have more than are left
    /// for the others.
    ///
    /// # Errors
    /// WATCH_LIMIT_REACHED.
    pub(crate) fn watch(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<UnderWay<TenantId>, Failure> {
        let tenants = self.current.get().quotas.len();
        self.watches.begin(tenant.clone(), |begun| {
            let own = begun.get(tenant).copied().unwrap_or(0);
            match may_take(limit, begun.values().sum(), own, tenants) {
                true => Ok(()),
                false => Err(Failure::new(
                    ErrorReason::WatchLimitReached,
                    format!(
                        "of the {limit} watches that the node serves none is left for this tenant"
                    ),
                )
                .with("limit", limit)),
            }
        })
    }

    /// Counts an attempt to join.
    ///
    /// # Errors
    /// RATE_EXCEEDED.
    pub(crate) fn attempt(&self, tenant: &TenantId, who: &ParticipantId) -> Result<(), Failure> {
        let now = Instant::now();
        let subject = (tenant.clone(), who.clone());
        let rate = Rate::new(self.current.get().joins_per_subject, SUBJECT_PERIOD);
        self.subjects
            .take(subject, rate, now)
            .map_err(|wait| rate_exceeded("subject", wait))?;
        let Some(joins) = self.quotas(tenant)?.joins_per_second else {
            return Ok(());
        };
        let rate = Rate::new(joins, Duration::from_secs(1));
        self.joins
            .take(tenant.clone(), rate, now)
            .map_err(|wait| rate_exceeded("tenant", wait))
    }

    /// Begins to admit somebody, if they fit beside as many people as there are on the node or on their way.
    ///
    /// # Errors
    /// QUOTA_REACHED, and that of `fits`.
    pub(crate) fn admit(
        &self,
        tenant: &TenantId,
        entrant: Entrant,
        fits: impl FnOnce(usize) -> Result<(), Failure>,
    ) -> Result<UnderWay<Entrant>, Failure> {
        let quotas = self.quotas(tenant)?;
        let (room, who) = entrant.clone();
        self.entrants.begin(entrant, |begun| {
            let census = self.directory.census();
            // Whoever is in comes back, or is refused for being in.
            if census.has(&room, &who) {
                return Ok(());
            }
            let others = begun.keys().filter(|(at, one)| (at, one) != (&room, &who));
            let new: Vec<_> = others.filter(|(at, one)| !census.has(at, one)).collect();
            fits(census.all().participants + new.len())?;
            let own = new
                .into_iter()
                .filter(|(at, _)| at.tenant() == tenant.as_str());
            let new: Vec<_> = own.collect();
            if let Some(limit) = quotas.participants {
                let there = census.of(tenant).participants;
                within("participants", limit, there + new.len())?;
            }
            if let Some(limit) = quotas.participants_per_room {
                let new = new.iter().filter(|(at, _)| *at == room).count();
                within("participants_per_room", limit, census.in_room(&room) + new)?;
            }
            Ok(())
        })
    }
}
