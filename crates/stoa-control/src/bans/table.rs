//! The bans that hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::SystemTime,
};

use stoa_core::{ParticipantId, RoomId, TenantId};

/// How many removals are remembered for a tenant, some hundred bytes each. The one that is forgotten first makes
/// room for the next: nobody can be kept from removing somebody.
const REMOVALS_PER_TENANT: usize = 50_000;

/// Whom a ban means, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BanKey {
    pub(crate) tenant: TenantId,
    /// The room's name; empty for all rooms of the tenant.
    pub(crate) room: String,
    pub(crate) participant: ParticipantId,
}

impl BanKey {
    /// The first that a tenant could have, in the order of bans.
    fn first(tenant: &TenantId) -> Self {
        // Of the characters of identifiers this one comes first.
        let first = ParticipantId::new("-").expect("it is an identifier");
        Self {
            tenant: tenant.clone(),
            room: String::new(),
            participant: first,
        }
    }

    /// Somebody, in one room.
    pub(crate) fn of_room(tenant: TenantId, room: &RoomId, participant: ParticipantId) -> Self {
        Self {
            tenant,
            room: room.name().to_owned(),
            participant,
        }
    }
}

/// What made a ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// CreateBan.
    Call,
    /// RemoveParticipant: what was issued before it is refused.
    Removal,
}

/// One ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ban {
    pub(crate) issued_before: SystemTime,
    pub(crate) created: SystemTime,
    pub(crate) expires: SystemTime,
    pub(crate) note: String,
    pub(crate) cause: Cause,
}

/// All bans, in the order of tenant, room and participant.
#[derive(Debug, Default)]
pub(crate) struct Table {
    bans: BTreeMap<BanKey, Ban>,
    /// When each is forgotten, soonest first.
    expiries: BTreeSet<(SystemTime, BanKey)>,
    /// The same of each tenant's removals: what one tenant does costs nothing for what others have.
    removals: BTreeSet<(TenantId, SystemTime, BanKey)>,
    counts: BTreeMap<TenantId, (usize, usize)>,
    /// Those that are other ones here than in the file.
    changed: BTreeSet<BanKey>,
}

/// What has become of a ban: it is this one, or there is none.
pub(super) type Change = (BanKey, Option<Ban>);

impl Ban {
    /// Makes this the ban to be where there was another one; or that one stays, which reaches further.
    pub(super) fn takes_the_place_of(&mut self, before: &Self) -> bool {
        match (before.cause, self.cause) {
            // What a call has made stays one of those, and a removal that comes to nothing takes none back.
            (Cause::Call, Cause::Removal) => {
                (self.cause, self.created) = (Cause::Call, before.created);
                self.note.clone_from(&before.note);
            }
            (Cause::Removal, Cause::Call) => {
                self.issued_before = self.issued_before.max(before.issued_before);
                self.expires = self.expires.max(before.expires);
            }
            _ => {}
        }
        before.issued_before <= self.issued_before
    }
}

impl Table {
    pub(crate) fn get(&self, key: &BanKey) -> Option<&Ban> {
        self.bans.get(key)
    }

    /// How many a tenant has of this kind.
    pub(crate) fn count(&self, tenant: &TenantId, cause: Cause) -> usize {
        let (calls, removals) = self.counts.get(tenant).copied().unwrap_or_default();
        match cause {
            Cause::Call => calls,
            Cause::Removal => removals,
        }
    }

    pub(crate) fn put(&mut self, key: BanKey, ban: Ban) {
        self.take(&key);
        *self.counted(&key.tenant, ban.cause) += 1;
        self.changed.insert(key.clone());
        self.expiries.insert((ban.expires, key.clone()));
        if ban.cause == Cause::Removal {
            let entry = (key.tenant.clone(), ban.expires, key.clone());
            self.removals.insert(entry);
        }
        self.bans.insert(key, ban);
    }

    /// Puts back what was there before this ban, if it is still this one.
    pub(super) fn take_back(&mut self, key: BanKey, ours: &Ban, before: Option<Ban>) {
        if self.bans.get(&key) == Some(ours) {
            self.restore(key, before);
        }
    }

    /// The same, where what was there before is in the file: unless this ban was written meanwhile, nothing has
    /// to be. So a disk that is full for long fills no memory.
    pub(super) fn undo(&mut self, key: BanKey, ours: &Ban, before: Option<Ban>) {
        let is_ours = self.bans.get(&key) == Some(ours);
        let is_unwritten = self.changed.contains(&key);
        self.take_back(key.clone(), ours, before);
        if is_ours && is_unwritten {
            self.changed.remove(&key);
        }
    }

    /// Whether a ban is another one here than in the file.
    pub(super) fn has_changed(&self, key: &BanKey) -> bool {
        self.changed.contains(key)
    }

    /// What has to be written down; it is taken for written.
    pub(super) fn changed(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed
            .map(|key| {
                let ban = self.bans.get(&key).cloned();
                (key, ban)
            })
            .collect()
    }

    /// These were not written.
    pub(super) fn not_written(&mut self, changed: Vec<Change>) {
        self.changed.extend(changed.into_iter().map(|(key, _)| key));
    }

    /// Puts back what was there before.
    pub(crate) fn restore(&mut self, key: BanKey, before: Option<Ban>) {
        match before {
            Some(ban) => self.put(key, ban),
            None => drop(self.take(&key)),
        }
    }

    fn take(&mut self, key: &BanKey) -> Option<Ban> {
        let ban = self.bans.remove(key)?;
        self.changed.insert(key.clone());
        self.expiries.remove(&(ban.expires, key.clone()));
        let entry = (key.tenant.clone(), ban.expires, key.clone());
        self.removals.remove(&entry);
        *self.counted(&key.tenant, ban.cause) -= 1;
        Some(ban)
    }

    fn counted(&mut self, tenant: &TenantId, cause: Cause) -> &mut usize {
        let (calls, removals) = self.counts.entry(tenant.clone()).or_default();
        match cause {
            Cause::Call => calls,
            Cause::Removal => removals,
        }
    }

    /// Forgets those whose time is over, and returns them.
    pub(crate) fn expire(&mut self, now: SystemTime) -> Vec<BanKey> {
        let mut forgotten = Vec::new();
        while let Some((expires, key)) = self.expiries.first()
            && *expires <= now
        {
            let key = key.clone();
            self.take(&key);
            forgotten.push(key);
        }
        forgotten
    }

    /// Forgets a removal of the same tenant if there are as many as may be, and this is one more.
    pub(crate) fn make_room_for_removal(&mut self, key: &BanKey) -> Option<BanKey> {
        let is_full = self.count(&key.tenant, Cause::Removal) >= REMOVALS_PER_TENANT;
        if !is_full || self.bans.contains_key(key) {
            return None;
        }
        let begin = (
            key.tenant.clone(),
            SystemTime::UNIX_EPOCH,
            BanKey::first(&key.tenant),
        );
        let (tenant, _, oldest) = self.removals.range(begin..).next()?;
        if *tenant != key.tenant {
            return None;
        }
        let oldest = oldest.clone();
        self.take(&oldest);
        tracing::warn!(tenant = %key.tenant, "more removals than are remembered; the oldest is forgotten");
        Some(oldest)
    }

    /// Whether a ban refuses what was issued to somebody at this time.
    pub(crate) fn refuses(
        &self,
        room: &RoomId,
        who: &ParticipantId,
        issued: SystemTime,
        now: SystemTime,
    ) -> bool {
        let Ok(tenant) = TenantId::new(room.tenant()) else {
            return false;
        };
        let mut key = BanKey::of_room(tenant, room, who.clone());
        let holds = |ban: &Ban| issued <= ban.issued_before && now < ban.expires;
        if self.bans.get(&key).is_some_and(holds) {
            return true;
        }
        key.room.clear();
        self.bans.get(&key).is_some_and(holds)
    }

    pub(crate) fn page(
        &self,
        tenant: &TenantId,
        last: Option<&BanKey>,
        count: usize,
        now: SystemTime,
    ) -> (Vec<(BanKey, Ban)>, bool) {
        let begin = match last {
            Some(last) => Bound::Excluded(last.clone()),
            None => Bound::Included(BanKey::first(tenant)),
        };
        let all = self.bans.range((begin, Bound::Unbounded));
        let mut own = all
            .take_while(|(key, _)| key.tenant == *tenant)
            .filter(|(_, ban)| now < ban.expires);
        let page = own.by_ref().take(count);
        let page = page.map(|(key, ban)| (key.clone(), ban.clone())).collect();
        (page, own.next().is_some())
    }
}

#[cfg(test)]
mod tests;
