//! How much each tenant has, kept along with the rooms.

use std::{collections::HashMap, sync::MutexGuard};

use stoa_core::{ParticipantId, RoomId, TenantId};

use super::{Directory, Inner, Room};

/// Rooms, and participants in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) rooms: usize,
    pub(crate) participants: usize,
}

/// How much there is at one moment: nothing changes while somebody looks.
pub(crate) struct Census<'a>(MutexGuard<'a, Inner>);

impl Directory {
    /// Looks at how much there is.
    pub(crate) fn census(&self) -> Census<'_> {
        Census(self.inner())
    }
}

impl Census<'_> {
    /// How much all tenants have together.
    pub(crate) fn all(&self) -> Count {
        self.0.counts.all()
    }

    /// How much a tenant has.
    pub(crate) fn of(&self, tenant: &TenantId) -> Count {
        self.0.counts.of(tenant.as_str())
    }

    pub(crate) fn has_room(&self, room: &RoomId) -> bool {
        self.0.rooms.contains_key(room)
    }

    /// Whether somebody of this name is in a room.
    pub(crate) fn has(&self, room: &RoomId, who: &ParticipantId) -> bool {
        self.0.rooms.get(room).is_some_and(|room| room.has(who))
    }

    /// How many are in a room.
    pub(crate) fn in_room(&self, room: &RoomId) -> usize {
        let room = self.0.rooms.get(room);
        room.map_or(0, |room| room.participant_count())
    }
}

/// The counts of all tenants that have a room.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<String, Count>);

impl Counts {
    pub(super) fn of(&self, tenant: &str) -> Count {
        self.0.get(tenant).copied().unwrap_or_default()
    }

    pub(super) fn all(&self) -> Count {
        self.0.values().fold(Count::default(), |sum, one| Count {
            rooms: sum.rooms + one.rooms,
            participants: sum.participants + one.participants,
        })
    }

    pub(super) fn created(&mut self, room: &Room) {
        let count = self.0.entry(room.id().tenant().to_owned()).or_default();
        count.rooms += 1;
        count.participants += room.participant_count();
    }

    pub(super) fn people(&mut self, room: &RoomId, before: usize, after: usize) {
        if let Some(count) = self.0.get_mut(room.tenant()) {
            count.participants = count.participants + after - before;
        }
    }

    /// A room is gone, and everybody had left it.
    pub(super) fn closed(&mut self, room: &RoomId) {
        if let Some(count) = self.0.get_mut(room.tenant()) {
            count.rooms -= 1;
            if count.rooms == 0 {
                self.0.remove(room.tenant());
            }
        }
    }
}
