//! Waiting until the mirror shows what a command has done.

use std::sync::Arc;

use stoa_core::{Revision, RoomId};
use tokio::sync::watch;

use super::{Directory, Room};

/// What the mirror has seen of one room since somebody began to follow it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// What the core's revisions are added to; 0 for a room that was never seen.
    pub(super) base: u64,
    /// Its revision now, as callers see it.
    pub(super) revision: u64,
    /// How often it was created, and as what the last time.
    pub(super) created: u64,
    pub(super) room: Option<Arc<Room>>,
    /// How often it was closed.
    pub(super) closed: u64,
    /// How often it was not among the snapshots after events were lost.
    pub(super) missing: u64,
}

/// The followers of one room.
pub(super) struct Entry {
    seen: watch::Sender<Seen>,
    followers: usize,
}

impl Entry {
    /// For a room whose base and revision are known, or 0.
    pub(super) fn new((base, revision): (u64, u64)) -> Self {
        let seen = Seen {
            base,
            revision,
            created: 0,
            room: None,
            closed: 0,
            missing: 0,
        };
        Self {
            seen: watch::Sender::new(seen),
            followers: 0,
        }
    }

    pub(super) fn enter(&mut self) -> watch::Receiver<Seen> {
        self.followers += 1;
        self.seen.subscribe()
    }

    /// True when nobody is left.
    pub(super) fn leave(&mut self) -> bool {
        self.followers -= 1;
        self.followers == 0
    }

    pub(super) fn tell(&self, change: impl FnOnce(&mut Seen)) {
        self.seen.send_modify(change);
    }
}

/// Follows one room. The waits below have no end of their own: the call's deadline ends them.
pub(crate) struct Follow {
    directory: Arc<Directory>,
    room: RoomId,
    seen: watch::Receiver<Seen>,
    begin: Seen,
}

impl Follow {
    pub(super) fn new(
        directory: Arc<Directory>,
        room: RoomId,
        seen: watch::Receiver<Seen>,
    ) -> Self {
        let begin = seen.borrow().clone();
        Self {
            directory,
            room,
            seen,
            begin,
        }
    }

    async fn until(&mut self, done: impl Fn(&Seen, &Seen) -> bool) -> Option<Seen> {
        let Self { seen, begin, .. } = self;
        // The sender lives in the directory for as long as this follower is counted.
        seen.wait_for(|now| done(now, begin))
            .await
            .ok()
            .map(|now| now.clone())
    }

    /// Waits for a room that was created just now. `None` if it is gone again already, and events
    /// were lost.
    pub(crate) async fn created(mut self) -> Option<Arc<Room>> {
        let seen = self
            .until(|now, begin| now.created > begin.created || now.missing > begin.missing)
            .await?;
        seen.room.filter(|_| seen.created > self.begin.created)
    }

    /// Waits until the mirror has reached the revision, or the room is gone. Returns the revision as callers
    /// see it.
    #[must_use = "callers see other revisions than the core's"]
    pub(crate) async fn reached(mut self, revision: Revision) -> u64 {
        let Revision(number) = revision;
        let seen = self
            .until(|now, begin| now.revision >= now.base + number || gone(now, begin))
            .await;
        let known = Some(self.begin.base).filter(|base| *base > 0);
        let base = known.or(seen.map(|seen| seen.base)).unwrap_or(0);
        base + number
    }

    /// Waits for the room's end.
    pub(crate) async fn closed(mut self) {
        self.until(gone).await;
    }
}

fn gone(now: &Seen, begin: &Seen) -> bool {
    now.closed > begin.closed || now.missing > begin.missing
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.directory.unfollow(&self.room);
    }
}
