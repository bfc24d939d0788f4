//! A NAT that gives its client another outer address from time to time.

use std::{net::SocketAddr, time::Duration};

use crate::random::Random;

/// When a NAT gives its client another outer address.
#[derive(Debug, Clone)]
pub struct Nat {
    every: Duration,
    random: Random,
    next: Duration,
}

impl Nat {
    /// A NAT that does so on average once in `every`, whenever it did before.
    pub fn new(now: Duration, every: Duration, mut random: Random) -> Self {
        let next = now + random.time_until(every);
        Self {
            every,
            random,
            next,
        }
    }

    /// When it does so next.
    pub fn next(&self) -> Duration {
        self.next
    }

    /// Notes that it has done so.
    pub fn rebound(&mut self) {
        self.next += self.random.time_until(self.every);
    }
}

/// The outer address of this number, of those that carriers give their customers (RFC 6598). No two
/// numbers have the same, and no client begins with one of them.
///
/// # Panics
/// If there are no more: after 262,144 of them.
pub fn outer_address(number: u32) -> SocketAddr {
    let [_, high, middle, low] = number.to_be_bytes();
    assert!(number < 1 << 18, "the addresses of the NATs are used up");
    let port = 20_000 + u16::from(low);
    SocketAddr::from(([100, 64 + high, middle, low], port))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_comes_about_as_often_as_it_is_set_to() {
        let mut nat = Nat::new(Duration::ZERO, Duration::from_secs(10), Random::new(1));
        let mut count = 0;
        while nat.next() < Duration::from_secs(100_000) {
            let before = nat.next();
            nat.rebound();
            assert!(nat.next() > before);
            count += 1;
        }
        assert!((9_700..10_300).contains(&count), "{count}");
    }

    #[test]
    fn no_two_addresses_are_the_same() {
        let addresses: BTreeSet<_> = (0..100_000).map(outer_address).collect();
        assert_eq!(addresses.len(), 100_000);
    }
}
