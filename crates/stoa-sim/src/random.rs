//! All randomness of a run, from one seed.

use std::time::Duration;

use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};

/// A source of random numbers that gives the same ones for the same seed. Its children do not depend
/// on how much was drawn from it, nor on each other.
#[derive(Debug, Clone)]
pub struct Random {
    seed: u64,
    rng: StdRng,
}

impl Random {
    /// The source for a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// The child of this number.
    pub fn child(&self, number: u64) -> Self {
        // The finaliser of SplitMix64: neighbouring numbers give seeds that have nothing in common.
        let mut mixed = self.seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self::new(mixed ^ (mixed >> 31))
    }

    /// 32 random bytes: the seed of a node.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// Whether something happens that does so with this probability, 0 to 1.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.rng.random::<f64>() < probability
    }

    /// A number from 0 to below `end`.
    ///
    /// # Panics
    /// If `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    /// A level from the loudest to the quietest of these two, in -dBov; both are possible.
    ///
    /// # Panics
    /// If `loudest` is the greater number.
    pub fn level(&mut self, loudest: u8, quietest: u8) -> u8 {
        self.rng.random_range(loudest..=quietest)
    }

    /// A time from nothing to below `end`; nothing if that is nothing.
    pub fn time_below(&mut self, end: Duration) -> Duration {
        end.mul_f64(self.rng.random())
    }

    /// A time until something that happens on average once in `mean`, whenever it did before
    /// (exponentially distributed).
    pub fn time_until(&mut self, mean: Duration) -> Duration {
        // In (0, 1], so the logarithm is finite.
        let share = 1.0 - self.rng.random::<f64>();
        mean.mul_f64(-share.ln())
    }

    /// One of these, if there is any.
    pub fn one_of<'a, T>(&mut self, these: &'a [T]) -> Option<&'a T> {
        (!these.is_empty()).then(|| &these[self.below(these.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_does_not_depend_on_what_was_drawn() {
        let mut parent = Random::new(5);
        let before = parent.child(3).bytes();
        parent.bytes();
        assert_eq!(parent.child(3).bytes(), before);
        assert_ne!(parent.child(4).bytes(), before);
        assert_ne!(Random::new(6).child(3).bytes(), before);
    }

    #[test]
    fn times_have_their_mean() {
        let mut random = Random::new(1);
        let mean = Duration::from_millis(40);
        let draws = 20_000;
        let sum: Duration = (0..draws).map(|_| random.time_until(mean)).sum();
        let measured = sum / draws;
        assert!((38..=42).contains(&measured.as_millis()), "{measured:?}");
        assert!((0..draws).all(|_| random.time_below(mean) < mean));
        assert_eq!(random.time_below(Duration::ZERO), Duration::ZERO);
    }
}
