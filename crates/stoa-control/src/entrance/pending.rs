//! What is being admitted at this moment: begun, and not yet seen in the mirror.
//!
//! Quotas count it, so that calls at the same time do not go over them together; and a ban waits for it, so
//! that nobody gets in beside it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// Things that are under way. Clones are the same table. There are never more than calls.
#[derive(Debug, Clone)]
pub(crate) struct Pending<K>(Arc<Shared<K>>);

#[derive(Debug)]
struct Shared<K> {
    table: Mutex<HashMap<K, usize>>,
    /// Wakes whoever waits for something to be over.
    over: watch::Sender<()>,
}

/// Under way until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay<K: Eq + Hash> {
    of: Pending<K>,
    key: K,
}

impl<K> Default for Pending<K> {
    fn default() -> Self {
        Self(Arc::new(Shared {
            table: Mutex::default(),
            over: watch::Sender::new(()),
        }))
    }
}

impl<K: Eq + Hash + Clone> Pending<K> {
    fn table(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins, if `may` agrees when it has seen what is under way already. Nobody else begins meanwhile.
    pub(crate) fn begin<E>(
        &self,
        key: K,
        may: impl FnOnce(&HashMap<K, usize>) -> Result<(), E>,
    ) -> Result<UnderWay<K>, E> {
        let mut table = self.table();
        may(&table)?;
        *table.entry(key.clone()).or_default() += 1;
        let of = Self(Arc::clone(&self.0));
        Ok(UnderWay { of, key })
    }

    /// Waits until nothing of this kind is under way. To be called when nothing of it that begins from now on
    /// matters.
    pub(crate) async fn over(&self, is_meant: impl Fn(&K) -> bool) {
        let mut over = self.0.over.subscribe();
        while self.table().keys().any(&is_meant) {
            // The sender lives as long as this table.
            if over.changed().await.is_err() {
                return;
            }
        }
    }
}

impl<K: Eq + Hash> Drop for UnderWay<K> {
    fn drop(&mut self) {
        let shared = &self.of.0;
        let mut table = shared.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = table.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                table.remove(&self.key);
            }
        }
        drop(table);
        shared.over.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn what_is_under_way_is_counted_until_it_is_over() {
        let pending = Pending::default();
        let at_most_one = |table: &HashMap<&str, usize>| match table.is_empty() {
            true => Ok(()),
            false => Err("too many"),
        };
        let first = pending.begin("a", at_most_one).expect("there is room");
        assert!(pending.begin("b", at_most_one).is_err());
        drop(first);
        assert!(pending.begin("b", at_most_one).is_ok());
    }

    #[tokio::test]
    async fn a_ban_waits_for_those_whom_it_means() {
        let pending = Pending::default();
        let all = |_: &HashMap<&str, usize>| Ok::<_, ()>(());
        let first = pending.begin("a", all).expect("it may");
        let again = pending.begin("a", all).expect("it may");
        let _other = pending.begin("b", all).expect("it may");
        let mut over = Box::pin(pending.over(|key| *key == "a"));
        drop(first);
        assert!((&mut over).now_or_never().is_none());
        drop(again);
        over.await;
    }
}
