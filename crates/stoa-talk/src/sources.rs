//! How often one place on the network may try something that is guessed or done in bulk.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use tokio::time::Instant;

use crate::limits;

/// The header in which a proxy says for whom it asks.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a request comes from: an IPv4 address, or an IPv6 network of 64 bits, which is what one
/// household has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Source(IpAddr);

impl Source {
    /// The source of a request that came from `peer`. Behind a proxy of one's own, `peer` is that
    /// proxy, and the last address that it has written down is whom it asks for; the ones before are
    /// what the client says of itself.
    pub(crate) fn of(peer: SocketAddr, headers: &HeaderMap, behind_proxy: bool) -> Self {
        let written = || {
            let last = headers.get_all(FORWARDED_FOR).iter().next_back()?;
            last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
        };
        let address = behind_proxy.then(written).flatten();
        Self::at(address.unwrap_or_else(|| peer.ip()))
    }

    fn at(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Counts tries: for each source a burst at once, then one for each interval.
#[derive(Debug)]
pub(crate) struct Tries {
    burst: u32,
    interval: Duration,
    /// The moment from which the whole burst is free again. `None` stands for all sources for which
    /// there was no room.
    free_at: Mutex<HashMap<Option<Source>, Instant>>,
}

impl Tries {
    /// No tries yet.
    pub(crate) fn new(burst: u32, interval: Duration) -> Self {
        Self {
            burst,
            interval,
            free_at: Mutex::default(),
        }
    }

    /// Whether one more try may come from there now; counts it if so. Who tries at the same moment
    /// is counted, too.
    pub(crate) fn allows(&self, source: Source, now: Instant) -> bool {
        let mut table = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Some(source);
        if !table.contains_key(&key) && table.len() >= limits::MAX_SOURCES {
            table.retain(|_, free_at| *free_at > now);
            if table.len() >= limits::MAX_SOURCES {
                key = None;
            }
        }
        let free_at = table.entry(key).or_insert(now);
        let next = (*free_at).max(now) + self.interval;
        if next > now + self.interval * self.burst {
            return false;
        }
        *free_at = next;
        true
    }

    /// Takes a try back that was none: what was said was right.
    pub(crate) fn forgive(&self, source: Source) {
        let mut table = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(free_at) = table.get_mut(&Some(source)) {
            *free_at = free_at.checked_sub(self.interval).unwrap_or(*free_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::at(address.parse().unwrap())
    }

    #[test]
    fn each_source_has_its_own_burst_then_one_for_each_interval() {
        let (now, interval) = (Instant::now(), Duration::from_secs(10));
        let tries = Tries::new(3, interval);
        for _ in 0..3 {
            assert!(tries.allows(source("192.0.2.1"), now));
        }
        assert!(!tries.allows(source("192.0.2.1"), now));
        assert!(tries.allows(source("192.0.2.2"), now));
        assert!(tries.allows(source("192.0.2.1"), now + interval));
        assert!(!tries.allows(source("192.0.2.1"), now + interval));
    }

    #[test]
    fn what_was_right_is_not_counted() {
        let now = Instant::now();
        let tries = Tries::new(1, Duration::from_secs(10));
        for _ in 0..5 {
            assert!(tries.allows(source("192.0.2.1"), now));
            tries.forgive(source("192.0.2.1"));
        }
    }

    #[test]
    fn a_full_table_forgets_who_rests_and_counts_the_others_as_one() {
        let (now, interval) = (Instant::now(), Duration::from_secs(10));
        let tries = Tries::new(1, interval);
        let many = |n: usize| source(&format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255));
        for n in 0..limits::MAX_SOURCES {
            assert!(tries.allows(many(n), now));
        }
        assert!(tries.allows(source("192.0.2.1"), now));
        assert!(!tries.allows(source("192.0.2.2"), now), "both are the rest");
        assert!(tries.free_at.lock().unwrap().len() <= limits::MAX_SOURCES + 1);
        assert!(tries.allows(source("192.0.2.2"), now + interval));
        assert!(tries.allows(source("192.0.2.3"), now + interval));
    }

    #[test]
    fn a_network_of_64_bits_is_one_source() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }

    #[test]
    fn a_proxy_is_believed_only_where_there_is_one() {
        let peer = "127.0.0.1:9".parse().unwrap();
        let mut headers = HeaderMap::new();
        let value = "203.0.113.7, 192.0.2.1".parse().unwrap();
        headers.insert(FORWARDED_FOR, value);
        assert_eq!(Source::of(peer, &headers, true), source("192.0.2.1"));
        assert_eq!(Source::of(peer, &headers, false), source("127.0.0.1"));
        let none = HeaderMap::new();
        assert_eq!(Source::of(peer, &none, true), source("127.0.0.1"));
    }
}
