//! Which tokens that are good once were used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use stoa_core::TenantId;

use crate::{
    grant::Grant,
    limits::{LEEWAY, ONCE_TOKENS_PER_TENANT},
    reason::{Reason, Refused},
};

/// The tokens that are good once and were used, until they expire. Clones are the same table.
///
/// A token without `once` may be used again by the same person until it expires: who reloads a page has
/// no other. One with it is used up when it has let somebody in. For what its holder does afterwards in
/// the same session it stays good.
#[derive(Debug, Clone, Default)]
pub struct Used(Arc<Mutex<HashMap<TenantId, HashMap<String, SystemTime>>>>);

/// A token on its way to be used. Unless it is [kept](Once::keep), nothing has come of it and it is good
/// again.
#[derive(Debug)]
#[must_use = "dropping it makes the token good again"]
pub struct Once {
    table: Used,
    /// What is to be given back.
    taken: Option<(TenantId, String)>,
}

impl Used {
    /// Takes the token for one admission. One that may be used again is always to be had.
    ///
    /// # Errors
    /// [`Reason::Replayed`], [`Reason::OnceTableFull`].
    pub fn take(&self, grant: &Grant, now: SystemTime) -> Result<Once, Refused> {
        let mut once = Once {
            table: self.clone(),
            taken: None,
        };
        if !grant.once {
            return Ok(once);
        }
        let mut tenants = self.tenants();
        let tokens = tenants.entry(grant.tenant.clone()).or_default();
        if tokens.len() >= ONCE_TOKENS_PER_TENANT {
            tokens.retain(|_, expires| *expires + LEEWAY > now);
        }
        if tokens.contains_key(&grant.id) {
            return Err(Reason::Replayed.into());
        }
        if tokens.len() >= ONCE_TOKENS_PER_TENANT {
            return Err(Reason::OnceTableFull.into());
        }
        tokens.insert(grant.id.clone(), grant.expires);
        once.taken = Some((grant.tenant.clone(), grant.id.clone()));
        Ok(once)
    }

    /// How many are remembered.
    pub fn count(&self) -> usize {
        self.tenants().values().map(HashMap::len).sum()
    }

    /// What a panic elsewhere has left is whole: each change is one call.
    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, HashMap<String, SystemTime>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Once {
    /// It has let somebody in.
    pub fn keep(mut self) {
        self.taken = None;
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        if let Some((tenant, id)) = self.taken.take()
            && let Some(tokens) = self.table.tenants().get_mut(&tenant)
        {
            tokens.remove(&id);
        }
    }
}
