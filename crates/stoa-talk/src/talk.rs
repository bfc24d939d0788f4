//! What all sockets of one service share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use stoa_client::Client;
use tokio::sync::{Semaphore, watch};

use crate::{
    Options,
    directory::Directory,
    limits,
    secret::AdministratorKey,
    sources::Tries,
    stats::Stats,
    store::{self, Store, admission::House},
};

/// One running service.
#[derive(Debug)]
pub(crate) struct Talk {
    client: Client,
    store: Store,
    open_rooms: bool,
    administrator: Option<AdministratorKey>,
    behind_proxy: bool,
    wrong_codes: Tries,
    newly_waiting: Tries,
    directory: Arc<Directory>,
    seats: AtomicU64,
    sockets: Arc<Semaphore>,
    shutdown: watch::Sender<bool>,
    stats: Arc<Stats>,
}

impl Talk {
    /// A service that speaks to Stoa through this client and remembers in this database.
    pub(crate) fn new(client: Client, store: Store, options: Options) -> Arc<Self> {
        let instance: Arc<str> = store.instance().into();
        Arc::new(Self {
            directory: Arc::new(Directory::new(client.clone(), instance)),
            client,
            store,
            open_rooms: options.open_rooms,
            administrator: options.administrator,
            behind_proxy: options.behind_proxy,
            wrong_codes: Tries::new(limits::WRONG_CODE_BURST, limits::WRONG_CODE_INTERVAL),
            newly_waiting: Tries::new(limits::WAITING_BURST, limits::WAITING_INTERVAL),
            seats: AtomicU64::default(),
            sockets: Arc::new(Semaphore::new(limits::MAX_SOCKETS)),
            shutdown: watch::Sender::new(false),
            stats: Arc::default(),
        })
    }

    /// The way to Stoa.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The hubs.
    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// One permit for each socket.
    pub(crate) fn sockets(&self) -> &Arc<Semaphore> {
        &self.sockets
    }

    /// What is counted.
    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// What outlasts a restart.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Whether this is what the administrator says; never, where there is none.
    pub(crate) fn is_administrator(&self, key: &str) -> bool {
        self.administrator.as_ref().is_some_and(|own| own.is(key))
    }

    /// Whether requests come by way of a proxy that says for whom.
    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.behind_proxy
    }

    /// Wrong codes and keys, by where they came from.
    pub(crate) fn wrong_codes(&self) -> &Tries {
        &self.wrong_codes
    }

    /// Newcomers to the waiting list, by where they came from.
    pub(crate) fn newly_waiting(&self) -> &Tries {
        &self.newly_waiting
    }

    /// What admission has to know beyond the database.
    pub(crate) fn house(&self, present: Vec<String>) -> House {
        House {
            open_rooms: self.open_rooms,
            instance: self.store.instance().to_owned(),
            present,
            now: store::now(),
        }
    }

    /// A number that no other socket's seat has.
    pub(crate) fn new_seat(&self) -> u64 {
        self.seats.fetch_add(1, Ordering::Relaxed)
    }

    /// Resolves when the service is about to end.
    pub(crate) fn shutdown(&self) -> Shutdown {
        Shutdown(self.shutdown.subscribe())
    }

    /// Tells all sockets to end.
    pub(crate) fn announce_end(&self) {
        self.shutdown.send_replace(true);
    }

    /// Waits until all sockets and rooms are closed properly, as far as that is done in time.
    pub(crate) async fn ended(&self) {
        let all_gone = async {
            // All permits back: no socket is left. The semaphore is never closed.
            let all = u32::try_from(limits::MAX_SOCKETS).unwrap_or(u32::MAX);
            let _ = self.sockets.acquire_many(all).await;
            self.directory.all_ended().await;
        };
        if tokio::time::timeout(limits::SHUTDOWN_TIMEOUT, all_gone)
            .await
            .is_err()
        {
            let rooms = self.directory.len();
            tracing::warn!(rooms, "some browsers or rooms were not closed in time");
        }
    }

    /// What `/healthz` tells.
    pub(crate) fn status(&self) -> serde_json::Value {
        let sockets = limits::MAX_SOCKETS - self.sockets.available_permits();
        self.stats.shown(sockets, self.directory.len())
    }
}

/// The announcement of the end.
#[derive(Debug)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Waits for it.
    pub(crate) async fn wait(&mut self) {
        // An error means that the service is gone altogether.
        let _ = self.0.wait_for(|ending| *ending).await;
    }
}
