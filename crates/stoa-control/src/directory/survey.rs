//! All rooms of a tenant, one after the other, and the revision to continue from.
//!
//! A survey shows each room as it is when its turn comes, and holds nothing up meanwhile. What has happened
//! during that time is told before its end, but for what the rooms had shown already. So when it ends it is
//! exact: a watcher knows every room as it was at one revision of the tenant, has seen each event that its
//! snapshots had not shown, and none twice.

use std::{collections::HashMap, sync::Arc};

use prost_types::Timestamp;
use stoa_api::v1;
use stoa_core::{Revision, RoomId};

use super::{Directory, Entry, Inner, Next, Room, TenantLog};

/// A survey under way.
pub(crate) struct Survey {
    rooms: Arc<[Arc<Room>]>,
    shown: usize,
    /// What the survey began with.
    from: u64,
    /// The revision of what was told.
    at: u64,
    /// The revision at which all rooms had been shown.
    until: Option<u64>,
    /// Of the rooms that have changed since the survey began, the revision that was shown.
    changed: HashMap<RoomId, u64>,
}

/// The next piece of a survey.
pub(crate) enum Piece {
    /// A room.
    Room(v1::Room),
    /// Something that happened meanwhile.
    Event(Entry),
    /// That was all.
    End,
    /// What has happened meanwhile is no longer held: it has to begin anew.
    Forgotten,
}

impl Directory {
    /// The revision of a room that came and went unseen, as callers see it.
    pub(crate) fn shown_once(&self, revision: Revision) -> u64 {
        let mut inner = self.inner();
        let shown = inner.bases.begin((self.clock)()) + revision.0;
        inner.bases.used(shown);
        shown
    }

    /// What happens in a tenant's rooms.
    pub(crate) fn tenant(&self, tenant: &str) -> Arc<TenantLog> {
        self.inner().log(tenant, self)
    }

    /// Begins a survey of a tenant's rooms.
    pub(crate) fn survey(&self, tenant: &str, log: &TenantLog) -> Survey {
        let inner = self.inner();
        let revision = log.revision();
        Survey {
            rooms: log.rooms(|| inner.rooms_of(tenant)),
            shown: 0,
            from: revision,
            at: revision,
            until: None,
            changed: HashMap::new(),
        }
    }

    /// The revision of a tenant to which every room's state has come that anybody has seen before.
    fn settled(&self, log: &TenantLog) -> u64 {
        // While this is held, no room has changed and the log does not know it yet.
        let _inner = self.inner();
        log.revision()
    }
}

impl Inner {
    /// The log of a tenant.
    pub(super) fn log(&mut self, tenant: &str, directory: &Directory) -> Arc<TenantLog> {
        if let Some(log) = self.tenants.get(tenant) {
            return Arc::clone(log);
        }
        let base = self.bases.begin((directory.clock)());
        let log = Arc::new(TenantLog::new(base, directory.events_per_tenant));
        self.tenants.insert(tenant.into(), Arc::clone(&log));
        log
    }

    fn rooms_of(&self, tenant: &str) -> Vec<Arc<Room>> {
        let rooms = self.rooms.values();
        let own = rooms.filter(|room| room.id().tenant() == tenant);
        own.cloned().collect()
    }
}

impl Survey {
    /// How many rooms it shows at most: those that are closed meanwhile are left out.
    pub(crate) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// The tenant's revision after the last piece; that of the whole, at the end.
    pub(crate) fn revision(&self) -> u64 {
        self.at
    }

    /// What comes next.
    pub(crate) fn next(&mut self, directory: &Directory, log: &TenantLog, now: Timestamp) -> Piece {
        while let Some(room) = self.rooms.get(self.shown) {
            self.shown += 1;
            let portrait = room.portrait(now);
            if room.told() > self.from {
                let (Ok(last) | Err(last)) = &portrait;
                self.changed.insert(room.id().clone(), last.revision);
            }
            if let Ok(portrait) = portrait
                && let Some(v1::watch_response::Event::Snapshot(room)) = &portrait.event
            {
                return Piece::Room(room.clone());
            }
        }
        let until = *self.until.get_or_insert_with(|| directory.settled(log));
        while self.at < until {
            match log.after(self.at, None) {
                Next::Event(entry) => {
                    self.at += 1;
                    let shown = self.changed.get(&entry.room);
                    if shown.is_none_or(|shown| entry.event.revision > *shown) {
                        return Piece::Event(entry);
                    }
                }
                Next::Nothing | Next::Heard(..) | Next::Forgotten => return Piece::Forgotten,
            }
        }
        Piece::End
    }
}

#[cfg(test)]
mod tests;
