//! The figures of a round that are compared, and which differences are beyond noise.
//!
//! A round is one measurement. Two servers differ where there are at least [`FEWEST`] rounds of each, all of the one
//! lie on the same side of all of the other, and the medians differ by more than [`WORTH_PERCENT`] percent. Without
//! a difference that comes to pass for 1 in 10 figures with three rounds of each, 1 in 126 with five.

use crate::report::{Group, Report};

/// With fewer rounds than this nothing is said.
const FEWEST: usize = 3;

/// How large a difference has to be, in percent, to be marked.
const WORTH_PERCENT: f64 = 2.0;

type Value = fn(&Report) -> Option<f64>;

/// A figure.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: Value,
}

const fn figure(name: &'static str, unit: &'static str, value: Value) -> Figure {
    Figure { name, unit, value }
}

/// All of them.
pub(crate) const FIGURES: [Figure; 10] = [
    figure("server CPU a packet heard", "us", |report| {
        report.server.as_ref()?.cpu_us_per_packet
    }),
    figure("server CPU", "% of a core", |report| {
        report.server.as_ref()?.cpu_percent
    }),
    figure("memory grown, for each who is in", "KiB", memory),
    figure("latency p50", "ms", |report| {
        Some(audience(report)?.latency_ms?.p50)
    }),
    figure("latency p99", "ms", |report| {
        Some(audience(report)?.latency_ms?.p99)
    }),
    figure("latency max", "ms", |report| {
        Some(audience(report)?.latency_ms?.max)
    }),
    figure("loss", "%", |report| Some(audience(report)?.loss_percent)),
    figure("asked to connected p50", "ms", |report| {
        Some(report.joins.connect_ms?.p50)
    }),
    figure("asked to connected p99", "ms", |report| {
        Some(report.joins.connect_ms?.p99)
    }),
    figure("packets heard", "/s", heard),
];

/// Those who hear most.
fn audience(report: &Report) -> Option<&Group> {
    let heard = report.groups.iter().filter(|group| group.expected > 0);
    heard.max_by_key(|group| group.received)
}

fn memory(report: &Report) -> Option<f64> {
    let server = report.server.as_ref()?;
    let grown = server
        .memory_bytes?
        .saturating_sub(server.memory_before_bytes?);
    let peers: u64 = report.groups.iter().map(|group| group.peers).sum();
    (peers > 0).then(|| grown as f64 / 1_024.0 / peers as f64)
}

/// The work that was done, which has to be the same.
pub(crate) fn heard(report: &Report) -> Option<f64> {
    let received: u64 = report.groups.iter().map(|group| group.received).sum();
    let seconds = report.measured_seconds;
    (seconds > 0).then(|| received as f64 / seconds as f64)
}

/// The rounds of one server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) rounds: usize,
}

/// What can be said of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    Noise,
    /// The first is higher.
    Higher,
    Lower,
    TooFew,
}

impl Spread {
    /// Of these values, if there are any.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => (values[middle - 1] + values[middle]) / 2.0,
            _ => values[middle],
        };
        Some(Self {
            median,
            least,
            most,
            rounds: values.len(),
        })
    }

    /// How this one differs from another one.
    pub(crate) fn against(&self, other: &Self) -> Difference {
        let apart = (self.median - other.median).abs();
        let is_worth = apart > WORTH_PERCENT / 100.0 * other.median.abs();
        match self.rounds.min(other.rounds) < FEWEST {
            true => Difference::TooFew,
            false if is_worth && self.least > other.most => Difference::Higher,
            false if is_worth && self.most < other.least => Difference::Lower,
            false => Difference::Noise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Server;

    fn spread(values: &[f64]) -> Spread {
        Spread::of(values.iter().copied()).expect("values")
    }

    #[test]
    fn medians_and_their_spread() {
        let odd = spread(&[3.0, 1.0, 2.0]);
        assert_eq!((odd.median, odd.least, odd.most), (2.0, 1.0, 3.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn only_what_does_not_overlap_differs() {
        let (low, high) = (spread(&[1.0, 1.1, 1.2]), spread(&[2.0, 2.1, 1.3]));
        assert_eq!(low.against(&high), Difference::Lower);
        assert_eq!(high.against(&low), Difference::Higher);
        assert_eq!(spread(&[1.0, 1.1, 1.4]).against(&high), Difference::Noise);
        assert_eq!(spread(&[1.0, 1.1]).against(&high), Difference::TooFew);
        // Certain, and not worth a word.
        let near = spread(&[100.0, 100.0, 100.0]);
        assert_eq!(
            near.against(&spread(&[101.0, 101.0, 101.0])),
            Difference::Noise
        );
    }

    #[test]
    fn memory_is_what_has_grown() {
        let report = Report {
            groups: vec![Group {
                peers: 4,
                ..Group::default()
            }],
            server: Some(Server {
                memory_bytes: Some(48 * 1_024),
                memory_before_bytes: Some(40 * 1_024),
                ..Server::default()
            }),
            ..Report::default()
        };
        assert_eq!(memory(&report), Some(2.0));
        assert_eq!(memory(&Report::default()), None);
    }
}
