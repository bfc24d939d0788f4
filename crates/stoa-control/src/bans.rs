//! Who is kept out: the bans that hold, in memory and on disk.
//!
//! A ban refuses what was issued to its subject up to a moment. It is written down before it is answered,
//! where the node has a state directory, and it holds in memory from the same moment on.

mod store;
mod table;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use stoa_api::v1::ErrorReason;
use stoa_core::{ParticipantId, RoomId, TenantId};

pub use store::StateError;
pub(crate) use table::{Ban, BanKey, Cause};

use crate::{config::Clock, errors::Failure, tenants::within, to_its_end::to_its_end};
use store::Store;
use table::Table;

/// The bans of all tenants. Clones are the same.
#[derive(Clone)]
pub(crate) struct Bans(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    store: Option<Arc<Mutex<Store>>>,
    /// Whose turn it is to write.
    order: tokio::sync::Mutex<()>,
    clock: Clock,
    /// How long something that was issued can be good.
    longest_validity: Duration,
}

impl Bans {
    /// Bans in memory, and in this directory if there is one.
    ///
    /// # Errors
    /// [`StateError`] names the file.
    pub(crate) fn open(
        directory: Option<&Path>,
        clock: Clock,
        longest_validity: Duration,
    ) -> Result<Self, StateError> {
        let mut table = Table::default();
        let store = directory.map(Store::open).transpose()?;
        if let Some(store) = &store {
            for (key, ban) in store.read()? {
                table.put(key, ban);
            }
            table.changed();
        }
        Ok(Self(Arc::new(Shared {
            table: Mutex::new(table),
            store: store.map(|store| Arc::new(Mutex::new(store))),
            order: tokio::sync::Mutex::default(),
            clock,
            longest_validity,
        })))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0.clock)()
    }

    /// Until when a ban has to be remembered.
    pub(crate) fn expiry(&self, issued_before: SystemTime) -> SystemTime {
        issued_before + self.0.longest_validity
    }

    /// How old what was issued may be: what is older could have outlived a ban.
    pub(crate) fn longest_validity(&self) -> Duration {
        self.0.longest_validity
    }

    /// Whether what was issued to somebody at this time is still good.
    ///
    /// # Errors
    /// SUBJECT_BANNED.
    pub(crate) fn check(
        &self,
        room: &RoomId,
        who: &ParticipantId,
        issued: SystemTime,
    ) -> Result<(), Failure> {
        match self.table().refuses(room, who, issued, self.now()) {
            false => Ok(()),
            true => Err(Failure::new(
                ErrorReason::SubjectBanned,
                "they were banned or removed after they had been let in; let them in anew if they may",
            )
            .with("room_id", room.name())
            .with("participant_id", who)),
        }
    }

    /// Bans somebody, who may have as many as `limit` companions. A ban that reaches further stays. Returns the
    /// one that holds, and the one that was there before.
    ///
    /// # Errors
    /// QUOTA_REACHED; NODE_OVERLOADED if it could not be written down.
    pub(crate) async fn put(
        &self,
        key: BanKey,
        mut ban: Ban,
        limit: usize,
    ) -> Result<(Ban, Option<Ban>), Failure> {
        let (before, is_in_file) = {
            let mut table = self.table();
            table.expire(self.now());
            let before = table.get(&key).cloned();
            let is_in_file = !table.has_changed(&key);
            match ban.cause {
                Cause::Call if before.as_ref().is_none_or(|ban| ban.cause != Cause::Call) => {
                    within("bans", limit, table.count(&key.tenant, Cause::Call))?;
                }
                Cause::Call => {}
                Cause::Removal => drop(table.make_room_for_removal(&key)),
            }
            match &before {
                Some(before) if !ban.takes_the_place_of(before) => ban = before.clone(),
                // It holds from here on, and is answered when it is written.
                _ => table.put(key.clone(), ban.clone()),
            }
            (before, is_in_file)
        };
        if let Err(failure) = self.write_down(&key).await {
            let mut table = self.table();
            match is_in_file {
                true => table.undo(key, &ban, before),
                false => table.take_back(key, &ban, before),
            }
            return Err(failure);
        }
        Ok((ban, before))
    }

    /// Takes back what [`Bans::put`] has done, unless something else has been done since.
    pub(crate) async fn restore(
        &self,
        key: BanKey,
        ours: &Ban,
        before: Option<Ban>,
    ) -> Result<(), Failure> {
        self.table().take_back(key.clone(), ours, before);
        self.write_down(&key).await
    }

    /// Takes a ban back.
    ///
    /// # Errors
    /// BAN_NOT_FOUND; NODE_OVERLOADED if it could not be written down, and then it holds.
    pub(crate) async fn remove(&self, key: BanKey) -> Result<(), Failure> {
        let bans = self.clone();
        // To its end, whoever waits for it: the table and the file are to say the same.
        let removal = async move { bans.try_remove(key).await };
        to_its_end("taking back a ban", removal).await
    }

    async fn try_remove(&self, key: BanKey) -> Result<(), Failure> {
        let now = self.now();
        let before = {
            let mut table = self.table();
            let before = table.get(&key).filter(|ban| now < ban.expires).cloned();
            if before.is_some() {
                table.restore(key.clone(), None);
            }
            before
        };
        let Some(before) = before else {
            let message =
                "there is no ban of this room and participant; ListBans shows those that hold";
            return Err(Failure::new(ErrorReason::BanNotFound, message));
        };
        if let Err(failure) = self.write_down(&key).await {
            let mut table = self.table();
            if table.get(&key).is_none() {
                table.put(key, before);
            }
            return Err(failure);
        }
        Ok(())
    }

    /// Up to `count` bans of a tenant after `last`, and whether there are more.
    pub(crate) fn page(
        &self,
        tenant: &TenantId,
        last: Option<&BanKey>,
        count: usize,
    ) -> (Vec<(BanKey, Ban)>, bool) {
        self.table().page(tenant, last, count, self.now())
    }

    /// Has everything written down that has changed, where there is a state directory: whoever comes while the disk
    /// is busy shares the next turn with all others, so that many wait no longer than a few.
    async fn write_down(&self, key: &BanKey) -> Result<(), Failure> {
        let Some(store) = self.0.store.clone() else {
            self.table().changed();
            return Ok(());
        };
        let _order = self.0.order.lock().await;
        let changed = {
            let mut table = self.table();
            match table.has_changed(key) {
                true => table.changed(),
                // In somebody else's turn it was written.
                false => return Ok(()),
            }
        };
        // The disk may take its time; nothing else on this thread has to wait for it.
        let writing = tokio::task::spawn_blocking(move || {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let written = store.write(&changed);
            written.map_err(|error| (error, changed))
        });
        let why = match writing.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err((error, changed))) => {
                self.table().not_written(changed);
                error.to_string()
            }
            Err(error) => error.to_string(),
        };
        tracing::error!(error = why, "bans could not be written down");
        Err(Failure::not_written())
    }
}

#[cfg(test)]
mod tests;
