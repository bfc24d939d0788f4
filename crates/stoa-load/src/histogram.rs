//! How long things took: counts in classes that are 3 % wide, so that any number of values fits, and those
//! of several threads can be added.

use std::time::Duration;

/// Classes for each doubling: each is at most 1/32 of its value wide.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// A distribution of durations, to the microsecond where they are short.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Histogram {
    classes: Vec<u32>,
    count: u64,
    largest: u64,
}

/// What one wants to know of a distribution, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Percentiles {
    /// Of how many values.
    pub(crate) count: u64,
    /// Half were at most this.
    pub(crate) p50: f64,
    /// 95 of 100 were at most this.
    pub(crate) p95: f64,
    /// 99 of 100 were at most this.
    pub(crate) p99: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Histogram {
    /// Adds a value.
    pub(crate) fn add(&mut self, value: Duration) {
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
        let class = class(micros);
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] += 1;
        self.count += 1;
        self.largest = self.largest.max(micros);
    }

    /// Adds the values of another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.classes.len() < other.classes.len() {
            self.classes.resize(other.classes.len(), 0);
        }
        for (own, other) in self.classes.iter_mut().zip(&other.classes) {
            *own += other;
        }
        self.count += other.count;
        self.largest = self.largest.max(other.largest);
    }

    /// How many values.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// What this share of the values does not exceed (nearest rank), in milliseconds; 0 without values.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        for (class, count) in self.classes.iter().enumerate() {
            below += u64::from(*count);
            if below >= rank {
                return millis(upper_end(class).min(self.largest));
            }
        }
        0.0
    }

    /// The largest value, in milliseconds.
    pub(crate) fn max(&self) -> f64 {
        millis(self.largest)
    }

    /// What one wants to know; `None` without values.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        (self.count > 0).then(|| Percentiles {
            count: self.count,
            p50: self.percentile(0.50),
            p95: self.percentile(0.95),
            p99: self.percentile(0.99),
            max: self.max(),
        })
    }
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

fn class(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let exponent = micros.ilog2() - STEP_BITS;
    let step = (micros >> exponent) - STEPS;
    ((u64::from(exponent) + 1) * STEPS + step) as usize
}

/// The largest value of a class.
fn upper_end(class: usize) -> u64 {
    let class = class as u64;
    if class < STEPS {
        return class;
    }
    let (exponent, step) = (class / STEPS - 1, class % STEPS);
    ((STEPS + step + 1) << exponent) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for value in micros {
            histogram.add(Duration::from_micros(value));
        }
        histogram
    }

    #[test]
    fn every_value_is_in_its_class() {
        for value in (0..100_000).chain([u64::from(u32::MAX), 1 << 50]) {
            let class = class(value);
            assert!(value <= upper_end(class), "{value}");
            assert!(class == 0 || value > upper_end(class - 1), "{value}");
            assert!(upper_end(class) - value <= value / STEPS, "{value}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let percentiles = of(1..=100).percentiles().expect("values");
        let near = |value: f64, expected: f64| (value - expected).abs() <= expected / 16.0;
        assert!(near(percentiles.p50, 0.050) && near(percentiles.p95, 0.095));
        assert!(near(percentiles.p99, 0.099));
        assert_eq!((percentiles.max, percentiles.count), (0.1, 100));
        // One outlier in a hundred is the largest and not the 99th of a hundred.
        let percentiles = of((0..99).map(|_| 1_000).chain([900_000])).percentiles();
        let percentiles = percentiles.expect("values");
        assert!(near(percentiles.p99, 1.0));
        assert_eq!(percentiles.max, 900.0);
        assert_eq!(of([]).percentiles(), None);
    }

    #[test]
    fn what_is_merged_is_as_if_it_were_one() {
        let mut merged = of(1..=50);
        merged.merge(&of(51..=1_000));
        assert_eq!(merged.percentiles(), of(1..=1_000).percentiles());
    }
}
