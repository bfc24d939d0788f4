//! A bad network between some of the peers and the server: what it does to each datagram, both ways.

use std::time::Duration;

use rand::{Rng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Network {
    /// How many of 100 datagrams are lost.
    pub(crate) loss_percent: f64,
    /// How long each takes, one way.
    pub(crate) delay_ms: f64,
    /// How much longer some take, at most. What is sent later does not overtake for this alone.
    pub(crate) jitter_ms: f64,
    /// How many of 100 are overtaken by the next packet: they come 20 ms later.
    pub(crate) reorder_percent: f64,
}

/// One direction of a bad network.
#[derive(Debug)]
pub(crate) struct Way {
    network: Network,
    /// When the last datagram that keeps its place comes out, since any beginning.
    last: Duration,
}

impl Network {
    /// What is wrong with it, if anything.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let percent = |value: f64| (0.0..=100.0).contains(&value);
        let time = |value: f64| (0.0..=10_000.0).contains(&value);
        if !percent(self.loss_percent) || !percent(self.reorder_percent) {
            return Err("a share must be 0 to 100 percent");
        }
        if !time(self.delay_ms) || !time(self.jitter_ms) {
            return Err("a time must be 0 to 10000 ms");
        }
        Ok(())
    }
}

impl Way {
    pub(crate) fn new(network: Network) -> Self {
        Self {
            network,
            last: Duration::ZERO,
        }
    }

    /// When a datagram that goes in now comes out; `None` if it does not.
    pub(crate) fn carry(&mut self, now: Duration, random: &mut StdRng) -> Option<Duration> {
        let network = self.network;
        let happens = |percent: f64, random: &mut StdRng| random.random_bool(percent / 100.0);
        if happens(network.loss_percent, random) {
            return None;
        }
        let jitter = network.jitter_ms * random.random::<f64>();
        let at = now + Duration::from_secs_f64((network.delay_ms + jitter) / 1_000.0);
        if happens(network.reorder_percent, random) {
            return Some(at + Duration::from_millis(20));
        }
        self.last = self.last.max(at);
        Some(self.last)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn carried(network: Network) -> Vec<Option<Duration>> {
        let mut random = StdRng::seed_from_u64(3);
        let mut way = Way::new(network);
        let times = (0..10_000).map(|number| Duration::from_millis(5) * number);
        times
            .map(|at| Some(way.carry(at, &mut random)? - at))
            .collect()
    }

    #[test]
    fn it_loses_and_delays_as_it_is_told_to() {
        let network = Network {
            loss_percent: 5.0,
            delay_ms: 40.0,
            jitter_ms: 30.0,
            ..Network::default()
        };
        let carried = carried(network);
        let lost = carried.iter().filter(|delay| delay.is_none()).count();
        assert!((400..600).contains(&lost), "{lost}");
        let (least, most) = (Duration::from_millis(40), Duration::from_millis(70));
        assert!(
            carried
                .iter()
                .flatten()
                .all(|delay| (least..=most).contains(delay))
        );
    }

    #[test]
    fn order_is_kept_unless_it_is_told_to_reorder() {
        let overtaken = |reorder_percent| {
            let network = Network {
                jitter_ms: 50.0,
                reorder_percent,
                ..Network::default()
            };
            let out: Vec<_> = (0..)
                .zip(carried(network))
                .filter_map(|(number, delay)| Some(Duration::from_millis(5) * number + delay?))
                .collect();
            out.windows(2).filter(|pair| pair[1] < pair[0]).count()
        };
        assert_eq!(overtaken(0.0), 0);
        assert!(overtaken(2.0) > 50);
    }

    #[test]
    fn impossible_networks_are_refused() {
        let bad = Network {
            loss_percent: 101.0,
            ..Network::default()
        };
        assert!(bad.check().is_err());
        let bad = Network {
            delay_ms: -1.0,
            ..Network::default()
        };
        assert!(bad.check().is_err());
        assert!(Network::default().check().is_ok());
    }
}
