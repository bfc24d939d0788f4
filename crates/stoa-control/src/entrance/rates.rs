//! How often something may happen, for many keys.
//!
//! The generic cell rate algorithm (ITU-T I.371): one time for each key, at which it would be idle again.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// So often on average, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// The time that one takes.
    each: Duration,
    /// How many at once; at least 1.
    burst: u32,
}

impl Rate {
    /// `count` in every `period`, and as many at once.
    pub(crate) fn new(count: u32, period: Duration) -> Self {
        let burst = count.max(1);
        Self {
            each: period / burst,
            burst,
        }
    }
}

/// Counts for each key. It has a limit of keys; whoever is idle makes room, and nobody else does, so that
/// a flood of other keys frees none.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    /// When each would be idle again, by a table whose hashes nobody can guess.
    idle_at: Mutex<HashMap<K, Instant>>,
    keys: usize,
}

impl<K: Eq + Hash> Rates<K> {
    pub(crate) fn new(keys: usize) -> Self {
        Self {
            idle_at: Mutex::default(),
            keys,
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.idle_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more for this key.
    ///
    /// # Errors
    /// How long it has to wait, if it has had as many as it may.
    pub(crate) fn take(&self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut table = self.table();
        if table.len() >= self.keys && !table.contains_key(&key) {
            table.retain(|_, idle| *idle > now);
            if table.len() >= self.keys {
                // Whoever cannot be counted is not held back: the other limits hold.
                return Ok(());
            }
        }
        let idle = table.get(&key).map_or(now, |idle| (*idle).max(now));
        wait(idle, rate, now)?;
        table.insert(key, idle + rate.each);
        Ok(())
    }

    /// Whether one more would be too many, without counting it.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(crate) fn check(&self, key: &K, rate: Rate, now: Instant) -> Result<(), Duration> {
        match self.table().get(key) {
            Some(idle) => wait(*idle, rate, now),
            None => Ok(()),
        }
    }
}

/// Nothing, or how long until one more fits.
fn wait(idle: Instant, rate: Rate, now: Instant) -> Result<(), Duration> {
    let full = rate.each * (rate.burst - 1);
    match idle.checked_duration_since(now + full) {
        Some(wait) if !wait.is_zero() => Err(wait),
        _ => Ok(()),
    }
}

/// Where somebody comes from, as it is counted: an address, or all addresses of a /64, which one host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn as_many_as_the_burst_pass_at_once_and_then_one_by_one() {
        let (rates, rate, begin) = (Rates::new(8), Rate::new(4, SECOND), Instant::now());
        for _ in 0..4 {
            assert_eq!(rates.take("a", rate, begin), Ok(()));
        }
        assert_eq!(rates.take("a", rate, begin), Err(SECOND / 4));
        assert_eq!(rates.take("b", rate, begin), Ok(()), "others are not meant");
        assert_eq!(rates.check(&"a", rate, begin), Err(SECOND / 4));
        assert_eq!(rates.take("a", rate, begin + SECOND / 4), Ok(()));
        assert!(rates.take("a", rate, begin + SECOND / 4).is_err());
        for _ in 0..4 {
            assert_eq!(rates.take("a", rate, begin + SECOND * 9), Ok(()));
        }
        assert!(rates.take("a", rate, begin + SECOND * 9).is_err());
    }

    #[tokio::test]
    async fn a_flood_of_keys_frees_nobody() {
        let (rates, rate, begin) = (Rates::new(2), Rate::new(1, SECOND), Instant::now());
        assert_eq!(rates.take(1, rate, begin), Ok(()));
        for other in 2..100 {
            assert_eq!(rates.take(other, rate, begin), Ok(()));
        }
        assert!(rates.take(1, rate, begin).is_err(), "it is still counted");
        assert_eq!(rates.table().len(), 2);
        assert_eq!(rates.take(3, rate, begin + SECOND * 2), Ok(()));
        assert_eq!(rates.table().len(), 1, "those who are idle made room");
    }

    #[test]
    fn a_host_is_counted_once() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:2"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
