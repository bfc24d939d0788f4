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

use stoa_api::v1::ErrorReason;
use tokio::time::Instant;

use crate::errors::Failure;

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
    table: Mutex<Table<K>>,
    keys: usize,
}

#[derive(Debug)]
struct Table<K> {
    /// When each would be idle again, by a table whose hashes nobody can guess.
    idle_at: HashMap<K, Instant>,
    /// When it was last looked who is idle.
    swept: Option<Instant>,
    /// With how many keys it is looked again, so that those who were there once take no room for ever. Twice what was
    /// left the last time: a look at each costs no more than it did to put them there.
    sweep_at: usize,
}

/// With fewer keys than these nobody looks who is idle.
const FEW_KEYS: usize = 1_024;

/// How often it is looked who is idle, at most: a flood of keys must not cost a look each.
const SWEEP: Duration = Duration::from_secs(1);

impl<K: Eq + Hash> Rates<K> {
    pub(crate) fn new(keys: usize) -> Self {
        Self {
            table: Mutex::new(Table {
                idle_at: HashMap::new(),
                swept: None,
                sweep_at: FEW_KEYS,
            }),
            keys,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<K>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more for this key.
    ///
    /// # Errors
    /// How long it has to wait, if it has had as many as it may.
    pub(crate) fn take(&self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut table = self.table();
        let is_long = table.idle_at.len() >= self.keys.min(table.sweep_at);
        if is_long && !table.idle_at.contains_key(&key) {
            table.sweep(now);
            if table.idle_at.len() >= self.keys {
                // Whoever cannot be counted is not held back: the other limits hold.
                return Ok(());
            }
        }
        let idle = table.idle_at.get(&key).map_or(now, |idle| (*idle).max(now));
        wait(idle, rate, now)?;
        table.idle_at.insert(key, idle + rate.each);
        Ok(())
    }

    /// Whether one more would be too many, without counting it.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(crate) fn check(&self, key: &K, rate: Rate, now: Instant) -> Result<(), Duration> {
        match self.table().idle_at.get(key) {
            Some(idle) => wait(*idle, rate, now),
            None => Ok(()),
        }
    }
}

impl<K: Eq + Hash> Table<K> {
    /// Forgets who is idle.
    fn sweep(&mut self, now: Instant) {
        let is_due = self.swept.is_none_or(|swept| now >= swept + SWEEP);
        if is_due {
            self.swept = Some(now);
            self.idle_at.retain(|_, idle| *idle > now);
            self.idle_at.shrink_to(2 * self.idle_at.len());
            self.sweep_at = (2 * self.idle_at.len()).max(FEW_KEYS);
        }
    }
}

/// Too many in a short time.
pub(crate) fn rate_exceeded(scope: &'static str, wait: Duration) -> Failure {
    let message = "too many in a short time; repeat the call after the given delay";
    Failure::new(ErrorReason::RateExceeded, message)
        .with("scope", scope)
        .after(wait)
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
        assert_eq!(rates.table().idle_at.len(), 2);
        assert_eq!(rates.take(3, rate, begin + SECOND * 2), Ok(()));
        assert_eq!(
            rates.table().idle_at.len(),
            1,
            "those who are idle made room"
        );
    }

    #[tokio::test]
    async fn a_flood_of_keys_does_not_look_at_all_others_each_time() {
        let (rates, rate, begin) = (Rates::new(2), Rate::new(1000, SECOND), Instant::now());
        for key in 1..=3 {
            assert_eq!(rates.take(key, rate, begin), Ok(()));
        }
        // Both are idle by now, and nobody looks so soon again.
        let soon = begin + SECOND / 2;
        assert_eq!(rates.take(3, rate, soon), Ok(()));
        assert!(!rates.table().idle_at.contains_key(&3));
        assert_eq!(rates.take(3, rate, begin + SECOND), Ok(()));
        assert_eq!(rates.table().idle_at.len(), 1);
    }

    #[tokio::test]
    async fn who_was_there_once_takes_no_room_for_ever() {
        let (rates, rate, begin) = (Rates::new(1 << 20), Rate::new(10, SECOND), Instant::now());
        let mut most = 0;
        for number in 0..100_000_u32 {
            // A hundred new ones a second, each of whom is idle again after a tenth of one.
            let now = begin + SECOND / 100 * number;
            assert_eq!(rates.take(number, rate, now), Ok(()));
            most = most.max(rates.table().idle_at.capacity());
        }
        assert!(rates.table().idle_at.len() <= FEW_KEYS);
        assert!(most <= 4 * FEW_KEYS, "room for {most}");
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
