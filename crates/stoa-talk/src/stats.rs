//! What is counted of the service, for `/healthz`.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    turned_away: AtomicU64,
    closed: Mutex<BTreeMap<&'static str, u64>>,
    refused: Mutex<BTreeMap<String, u64>>,
}

impl Stats {
    /// A socket was not opened: there are as many as there may be.
    pub(crate) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// This service ended a socket, for this reason.
    pub(crate) fn closed(&self, reason: &'static str) {
        *lock(&self.closed).entry(reason).or_default() += 1;
    }

    /// All of it as `/healthz` shows it, beside how many there are now.
    pub(crate) fn shown(&self, sockets: usize, rooms: usize) -> serde_json::Value {
        serde_json::json!({
            "status": "ok",
            "sockets": sockets,
            "rooms": rooms,
            "sockets_turned_away": self.turned_away.load(Ordering::Relaxed),
            "sockets_closed": *lock(&self.closed),
            "messages_refused": *lock(&self.refused),
        })
    }

    /// A browser's message was answered with an error. The reasons are few and fixed.
    pub(crate) fn refused(&self, reason: &str) {
        *lock(&self.refused).entry(reason.to_owned()).or_default() += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
