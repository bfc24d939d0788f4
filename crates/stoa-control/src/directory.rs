//! The mirror of the rooms: what the control service knows of them, without asking the workers.
//!
//! It is fed only by the ordered stream of notices (`pump`). A handler that changed something
//! follows the room from before its command until the mirror shows the change, so that callers read
//! their own writes.

mod bases;
mod counts;
mod follow;
mod headcount;
mod log;
mod room;
mod survey;
mod tenant_log;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prost_types::Timestamp;
use stoa_core::{RoomEvent, RoomEventKind, RoomId, RoomSnapshot, TenantId};

pub(crate) use counts::Count;
pub(crate) use follow::Follow;
pub use headcount::Headcount;
pub(crate) use room::{CannotWatch, Cursor, Room, Step, bookmark, response};
pub(crate) use survey::{Piece, Survey};
pub(crate) use tenant_log::{Entry, Next, TenantLog};

use crate::{config::Clock, convert};
use bases::Bases;
use counts::Counts;
use follow::Seen;
use room::Applied;

/// All rooms of the node, in the order of their tenants and identifiers.
pub(crate) struct Directory {
    clock: Clock,
    events_per_room: usize,
    events_per_tenant: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    rooms: BTreeMap<RoomId, Arc<Room>>,
    /// How much each tenant has.
    counts: Counts,
    /// What handlers wait for; an entry lives as long as one of them follows the room.
    follows: HashMap<RoomId, follow::Entry>,
    /// What happens in each tenant's rooms; there are as many as tenants that have called or have a room.
    tenants: HashMap<Arc<str>, Arc<TenantLog>>,
    bases: Bases,
}

impl Directory {
    pub(crate) fn new(clock: Clock, events_per_room: usize, events_per_tenant: usize) -> Self {
        Self {
            clock,
            events_per_room,
            events_per_tenant,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node's time of day.
    pub(crate) fn now(&self) -> Timestamp {
        convert::timestamp((self.clock)())
    }

    pub(crate) fn get(&self, room: &RoomId) -> Option<Arc<Room>> {
        self.inner().rooms.get(room).cloned()
    }

    /// Up to `count` rooms of a tenant whose identifiers come after `last`, and whether there are more.
    pub(crate) fn page(
        &self,
        tenant: &TenantId,
        last: Option<&RoomId>,
        count: usize,
    ) -> (Vec<Arc<Room>>, bool) {
        let inner = self.inner();
        let mut rest = inner.of(tenant, last);
        let page: Vec<_> = rest.by_ref().take(count).map(Arc::clone).collect();
        (page, rest.next().is_some())
    }

    /// All rooms of a tenant.
    pub(crate) fn rooms_of(&self, tenant: &TenantId) -> Vec<Arc<Room>> {
        self.inner().of(tenant, None).map(Arc::clone).collect()
    }

    /// How much there is in all.
    pub(crate) fn counts(&self) -> Count {
        self.inner().counts.all()
    }

    /// How much a tenant has.
    pub(crate) fn counts_of(&self, tenant: &TenantId) -> Count {
        self.inner().counts.of(tenant.as_str())
    }

    /// Follows a room from now on. To be called before the command whose effect is waited for.
    pub(crate) fn follow(self: &Arc<Self>, room: &RoomId) -> Follow {
        let mut inner = self.inner();
        let known = inner.rooms.get(room);
        let known = known.map_or((0, 0), |known| (known.base(), known.revision()));
        let entry = inner
            .follows
            .entry(room.clone())
            .or_insert_with(|| follow::Entry::new(known));
        let seen = entry.enter();
        drop(inner);
        Follow::new(Arc::clone(self), room.clone(), seen)
    }

    fn unfollow(&self, room: &RoomId) {
        let mut inner = self.inner();
        if inner
            .follows
            .get_mut(room)
            .is_some_and(follow::Entry::leave)
        {
            inner.follows.remove(room);
        }
    }

    /// Takes the next event. False if events before it are missing.
    pub(crate) fn apply(&self, event: RoomEvent) -> bool {
        let now = self.now();
        let RoomEvent {
            room: id,
            revision,
            kind,
        } = event;
        let mut inner = self.inner();
        let Some(room) = inner.rooms.get(&id).cloned() else {
            // Other events of an unknown room are older than the snapshots that did not show it.
            if let RoomEventKind::Created(settings) = kind {
                inner.insert(
                    RoomSnapshot {
                        room: id,
                        revision,
                        settings,
                        participants: Vec::new(),
                    },
                    self,
                    now,
                );
            }
            return true;
        };
        let log = inner.log(id.tenant(), self);
        room.will_tell(log.revision() + 1);
        let closes = matches!(kind, RoomEventKind::Closed(_));
        let before = room.participant_count();
        match room.apply(revision, kind, now) {
            Applied::Done(told) => log.push(&id, told),
            Applied::Stale => return true,
            Applied::Gap => return false,
        }
        let after = room.participant_count();
        inner.counts.people(&id, before, after);
        if closes {
            inner.rooms.remove(&id);
            inner.bases.used(room.revision());
            inner.counts.closed(&id);
        }
        inner.tell(&id, |seen| match closes {
            true => seen.closed += 1,
            false => seen.revision = room.revision(),
        });
        true
    }

    /// Replaces everything by these snapshots. Watchers of rooms that have changed get theirs, and those of
    /// all rooms get all of them.
    pub(crate) fn replace(&self, snapshots: Vec<RoomSnapshot>) {
        let now = self.now();
        let mut inner = self.inner();
        let mut before = std::mem::take(&mut inner.rooms);
        inner.counts = Counts::default();
        for snapshot in snapshots {
            match before.remove(&snapshot.room) {
                Some(room) if is_later(&room, &snapshot) => {
                    if room.revision() != room.shown(snapshot.revision) {
                        room.replace(&snapshot, now, self.events_per_room);
                    }
                    inner.counts.created(&room);
                    inner.rooms.insert(snapshot.room.clone(), Arc::clone(&room));
                    inner.tell(&snapshot.room, |seen| seen.revision = room.revision());
                }
                other => {
                    if let Some(gone) = other {
                        inner.lose(&gone, now);
                        inner.tell(gone.id(), |seen| seen.closed += 1);
                    }
                    inner.insert(snapshot, self, now);
                }
            }
        }
        for gone in before.into_values() {
            inner.lose(&gone, now);
        }
        for log in inner.tenants.values() {
            log.reset();
        }
        let Inner { rooms, follows, .. } = &mut *inner;
        for (id, entry) in follows {
            if !rooms.contains_key(id) {
                entry.tell(|seen| seen.missing += 1);
            }
        }
    }
}

/// Whether the snapshot shows the same room, now or later: not one that was closed and created
/// again while events were lost.
fn is_later(room: &Room, snapshot: &RoomSnapshot) -> bool {
    let then = room.shown(snapshot.revision);
    let known = room.revision();
    then > known || then == known && room.is_as_in(snapshot)
}

impl Inner {
    /// Ends a room whose end was lost.
    fn lose(&mut self, room: &Room, now: Timestamp) {
        room.is_lost(now);
        self.bases.used(room.revision());
    }

    /// A tenant's rooms, those after `last` if there is one.
    fn of<'a>(
        &'a self,
        tenant: &'a TenantId,
        last: Option<&RoomId>,
    ) -> impl Iterator<Item = &'a Arc<Room>> {
        let begin = last.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = match last {
            Some(_) => self.rooms.range::<RoomId, _>((begin, Bound::Unbounded)),
            None => self.rooms.range::<str, _>((
                Bound::Included(RoomId::begin(tenant).as_str()),
                Bound::Unbounded,
            )),
        };
        let own = rest.take_while(|(id, _)| id.tenant() == tenant.as_str());
        own.map(|(_, room)| room)
    }

    fn insert(&mut self, snapshot: RoomSnapshot, directory: &Directory, now: Timestamp) {
        let base = self.bases.begin((directory.clock)());
        let room = Room::new(&snapshot, base, now, directory.events_per_room);
        let room = Arc::new(room);
        self.counts.created(&room);
        self.rooms.insert(snapshot.room.clone(), Arc::clone(&room));
        let log = self.log(room.id().tenant(), directory);
        room.will_tell(log.revision() + 1);
        log.push(room.id(), room.creation(now));
        self.tell(&snapshot.room, |seen| {
            seen.created += 1;
            seen.base = base;
            seen.revision = room.revision();
            seen.room = Some(room);
        });
    }

    fn tell(&self, room: &RoomId, change: impl FnOnce(&mut Seen)) {
        if let Some(entry) = self.follows.get(room) {
            entry.tell(change);
        }
    }
}

#[cfg(test)]
mod tests;
