//! What a long run held, part by part: whether it grew is what one makes such a run for.

use std::fmt::Write as _;

use super::{Report, Second};

type Figure = fn(&Second) -> Option<f64>;

/// Shorter runs say nothing of what grows.
const LEAST_SECONDS: u64 = 600;

/// The parts of a run.
const PARTS: usize = 10;

/// What is looked at, and how one writes it.
const FIGURES: [(&str, Figure); 6] = [
    ("peers", |second| Some(second.peers as f64)),
    ("server MiB", |second| mebibytes(second.server_memory_bytes)),
    ("its descriptors", |second| count(second.server_descriptors)),
    ("its timers", |second| count(second.server_timers)),
    ("tester MiB", |second| mebibytes(second.tester.memory_bytes)),
    ("latency p99, ms", |second| second.latency_p99_ms),
];

fn mebibytes(bytes: Option<u64>) -> Option<f64> {
    bytes.map(|bytes| bytes as f64 / 1_048_576.0)
}

fn count(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

/// A table with the median of each figure in each part; nothing for a short run.
pub(super) fn draw(report: &Report) -> String {
    let seconds: Vec<_> = report.seconds.iter().filter(|one| one.measured).collect();
    if report.measured_seconds < LEAST_SECONDS || seconds.len() < PARTS {
        return String::new();
    }
    let part = |number: usize| {
        let at = |number: usize| number * seconds.len() / PARTS;
        &seconds[at(number)..at(number + 1)]
    };
    let mut text = format!("\n{:<17}", "by the minute");
    for number in 0..PARTS {
        let end = part(number).last().map_or(0.0, |second| second.at);
        let _ = write!(text, "{:>8.0}", end / 60.0);
    }
    text.push('\n');
    for (name, figure) in FIGURES {
        let medians: Vec<_> = (0..PARTS).map(|one| median(part(one), figure)).collect();
        if medians.iter().all(Option::is_none) {
            continue;
        }
        let _ = write!(text, "  {name:<15}");
        for value in medians {
            let value = value.map_or("-".to_owned(), |value| format!("{value:.1}"));
            let _ = write!(text, "{value:>8}");
        }
        text.push('\n');
    }
    text
}

fn median(seconds: &[&Second], figure: Figure) -> Option<f64> {
    let mut values: Vec<_> = seconds.iter().filter_map(|second| figure(second)).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(measured: u64) -> Report {
        let second = |number: u64| Second {
            at: number as f64,
            measured: number >= 5,
            peers: 100,
            server_memory_bytes: Some((30 << 20) + (number << 13)),
            server_timers: (number >= 70).then_some(309),
            ..Second::default()
        };
        Report {
            measured_seconds: measured,
            seconds: (0..measured + 5).map(second).collect(),
            ..Report::default()
        }
    }

    #[test]
    fn a_long_run_shows_what_grew() {
        let text = draw(&run(600));
        let line = |name| text.lines().find(|line| line.contains(name));
        let memory = line("server MiB").expect("it is known");
        let values: Vec<f64> = memory
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        assert_eq!(values.len(), PARTS, "{text}");
        assert!(values.is_sorted() && values[9] - values[0] > 4.0, "{text}");
        // Not known in its first part.
        assert!(line("timers").expect("known").contains('-'), "{text}");
        assert!(line("descriptors").is_none(), "never known: {text}");
    }

    #[test]
    fn a_short_run_shows_nothing() {
        assert_eq!(draw(&run(599)), "");
        assert_eq!(draw(&Report::default()), "");
    }
}
