//! The hubs of the rooms that somebody is in, by room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use stoa_client::Client;
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

use crate::{
    hub::{Command, Handle, Hub},
    limits,
};

/// Finds and starts hubs. There is one for each room at most.
#[derive(Debug)]
pub(crate) struct Directory {
    client: Client,
    instance: Arc<str>,
    hubs: Mutex<HashMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    /// Does not keep the hub alive: only sockets do.
    commands: mpsc::WeakSender<Command>,
    /// Whoever changes people in this room holds it meanwhile.
    changes: Arc<AsyncMutex<()>>,
    /// Its sender is dropped when the hub has ended and its entry is gone.
    ended: watch::Receiver<()>,
}

impl Directory {
    /// An empty directory. `instance` is what the ids of this service's participants begin with.
    pub(crate) fn new(client: Client, instance: Arc<str>) -> Self {
        Self {
            client,
            instance,
            hubs: Mutex::default(),
        }
    }

    /// The way to this room's hub, which ends when the last one is dropped. Waits for the end of one
    /// that is just closing the room, so that two never work on the same.
    pub(crate) async fn enter(self: &Arc<Self>, room: &str) -> Handle {
        loop {
            let mut ended = match self.find_or_start(room) {
                Ok(hub) => return hub,
                Err(ended) => ended,
            };
            // It never changes; the error is the news.
            let _ = ended.changed().await;
        }
    }

    /// The way to this room's hub, if somebody is in the room.
    pub(crate) fn find(&self, room: &str) -> Option<Handle> {
        let hubs = self.lock();
        let entry = hubs.get(room)?;
        let commands = entry.commands.upgrade()?;
        Some(Handle::new(commands, Arc::clone(&entry.changes)))
    }

    /// How many rooms somebody is in.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Waits until every hub there is now has ended.
    pub(crate) async fn all_ended(&self) {
        let hubs: Vec<_> = self.lock().values().map(|e| e.ended.clone()).collect();
        for mut ended in hubs {
            let _ = ended.changed().await;
        }
    }

    fn find_or_start(self: &Arc<Self>, room: &str) -> Result<Handle, watch::Receiver<()>> {
        let mut hubs = self.lock();
        if let Some(entry) = hubs.get(room) {
            let commands = entry.commands.upgrade();
            let commands = commands.ok_or_else(|| entry.ended.clone())?;
            return Ok(Handle::new(commands, Arc::clone(&entry.changes)));
        }
        let (commands, queue) = mpsc::channel(limits::HUB_QUEUE);
        let (end, ended) = watch::channel(());
        let changes = Arc::default();
        hubs.insert(
            room.to_owned(),
            Entry {
                commands: commands.downgrade(),
                changes: Arc::clone(&changes),
                ended,
            },
        );
        let hub = Hub::new(
            self.client.clone(),
            room.to_owned(),
            Arc::clone(&self.instance),
        );
        let (directory, room) = (Arc::clone(self), room.to_owned());
        tokio::spawn(async move {
            let _end = end;
            let _entry = EntryGuard { directory, room };
            hub.run(queue).await;
        });
        Ok(Handle::new(commands, changes))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // Nothing under this lock can panic half-way through a change.
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the hub's entry out when its task ends, be it by a panic. Dropped before the sender that
/// tells of the end.
struct EntryGuard {
    directory: Arc<Directory>,
    room: String,
}

impl Drop for EntryGuard {
    fn drop(&mut self) {
        self.directory.lock().remove(&self.room);
    }
}
