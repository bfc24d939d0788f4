//! Two runs side by side, and which differences are beyond noise.
//!
//! What the seconds of a run differ by is its noise. Seconds that follow each other are alike, so they are taken
//! together in [`BLOCKS`] blocks whose means are as good as independent (batch means). Two runs differ where the
//! difference of their means is more than [`ERRORS`] times its standard error (Welch): about one in a hundred
//! such differences comes by chance, and there are a dozen figures. What differs by less than
//! [`WORTH_PERCENT`] percent is not worth a word, however certain it is.

use std::fmt::Write as _;

use crate::report::{
    Report, Second,
    chart::number_of,
    table::{columns, verdict},
};

/// Into how many blocks a run's seconds are taken together.
const BLOCKS: usize = 10;

/// How many standard errors are beyond noise.
const ERRORS: f64 = 3.0;

/// How large a difference has to be, in percent, to be marked.
const WORTH_PERCENT: f64 = 2.0;

type Value = fn(&Second) -> Option<f64>;

/// The figures that are compared, and their units.
const FIGURES: [(&str, &str, Value); 10] = [
    ("latency p50", "ms", |second| second.latency_p50_ms),
    ("latency p95", "ms", |second| second.latency_p95_ms),
    ("latency p99", "ms", |second| second.latency_p99_ms),
    ("loss", "%", |second| Some(second.loss_percent)),
    ("audio missing", "ms/min", |second| {
        Some(second.gap_ms_per_minute)
    }),
    ("packets received", "/s", |second| {
        Some(second.received as f64)
    }),
    ("server CPU", "%", |second| second.server_cpu_percent),
    ("server CPU a packet", "us", |second| {
        second.server_cpu_us_per_packet
    }),
    ("server memory", "MiB", |second| {
        Some(second.server_memory_bytes? as f64 / 1_048_576.0)
    }),
    ("tester lag p99", "ms", |second| {
        Some(second.tester.lag_p99_ms)
    }),
];

/// The mean of a figure and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Estimate {
    mean: f64,
    /// The standard error; `None` where the run was too short to tell.
    error: Option<f64>,
}

/// What can be said of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    Noise,
    Higher,
    Lower,
    Unknown,
}

/// The comparison as text.
pub(crate) fn draw(a: &Report, b: &Report) -> String {
    let mut text = String::new();
    for (name, report) in [("A", a), ("B", b)] {
        let _ = writeln!(
            text,
            "{name}: {} against {}, server {}, {} s\n   {}",
            report.scenario,
            report.target,
            report.server_version,
            report.measured_seconds,
            verdict(report).replace('\n', "\n   ")
        );
    }
    text.extend(warnings(a, b));
    text.push('\n');
    let mut lines = vec![["", "A", "B", "B - A", ""].map(str::to_owned).to_vec()];
    for (name, unit, value) in FIGURES {
        let (Some(a), Some(b)) = (estimate(a, value), estimate(b, value)) else {
            continue;
        };
        lines.push(vec![
            format!("{name}, {unit}"),
            with_error(a),
            with_error(b),
            number_of(b.mean - a.mean),
            words(difference(a, b), a, b),
        ]);
    }
    text.push_str(&columns(&lines));
    text
}

/// What makes two runs hard to compare.
fn warnings(a: &Report, b: &Report) -> Option<String> {
    let mut warnings = Vec::new();
    if a.scenario_yaml != b.scenario_yaml || a.changes != b.changes {
        warnings.push("they have not played the same");
    }
    if machines(a) != machines(b) {
        warnings.push("they ran on different machines");
    }
    if a.latency_within_ms.is_some() || b.latency_within_ms.is_some() {
        warnings.push("latencies between agents are known no better than their clocks");
    }
    if !(a.valid && b.valid && a.complete && b.complete) {
        warnings.push("one of them is not complete and valid");
    }
    (!warnings.is_empty()).then(|| format!("Take care: {}.\n", warnings.join("; ")))
}

/// What each of them is.
fn machines(report: &Report) -> Vec<(&str, usize)> {
    let agents = report.agents.iter().map(|agent| &agent.machine);
    std::iter::once(&report.machine)
        .chain(agents)
        .map(|machine| (&*machine.processor, machine.cores))
        .collect()
}

fn estimate(report: &Report, value: Value) -> Option<Estimate> {
    let measured = report.seconds.iter().filter(|second| second.measured);
    of(&measured.filter_map(value).collect::<Vec<f64>>())
}

fn of(values: &[f64]) -> Option<Estimate> {
    let all = mean(values)?;
    let length = values.len() / BLOCKS;
    if length == 0 {
        return Some(Estimate {
            mean: all,
            error: None,
        });
    }
    let blocks: Vec<f64> = values.chunks_exact(length).filter_map(mean).collect();
    let spread: f64 = blocks.iter().map(|block| (block - all).powi(2)).sum();
    let variance = spread / (blocks.len() - 1) as f64;
    Some(Estimate {
        mean: all,
        error: Some((variance / blocks.len() as f64).sqrt()),
    })
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn difference(a: Estimate, b: Estimate) -> Difference {
    let (Some(error_a), Some(error_b)) = (a.error, b.error) else {
        return Difference::Unknown;
    };
    let (difference, error) = (b.mean - a.mean, error_a.hypot(error_b));
    let is_small = difference.abs() <= WORTH_PERCENT / 100.0 * a.mean.abs();
    if is_small || difference.abs() <= ERRORS * error {
        Difference::Noise
    } else if difference > 0.0 {
        Difference::Higher
    } else {
        Difference::Lower
    }
}

fn with_error(estimate: Estimate) -> String {
    let mean = number_of(estimate.mean);
    match estimate.error {
        Some(error) => format!("{mean} \u{b1} {}", number_of(error)),
        None => mean,
    }
}

fn words(difference: Difference, a: Estimate, b: Estimate) -> String {
    let percent = 100.0 * (b.mean - a.mean) / a.mean.abs();
    let percent = match percent.is_finite() {
        true => format!(" ({percent:+.0} %)"),
        false => String::new(),
    };
    match difference {
        Difference::Noise => "noise".to_owned(),
        Difference::Higher => format!("B IS HIGHER{percent}"),
        Difference::Lower => format!("B IS LOWER{percent}"),
        Difference::Unknown => format!("fewer than {BLOCKS} seconds: cannot tell"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value that moves to and fro by one, with slow waves that make neighbours alike.
    fn noisy(mean: f64, count: usize, phase: f64) -> Vec<f64> {
        let wave =
            |step: usize| (step as f64 * 1.7 + phase).sin() + (step as f64 / 3.0 + phase).cos();
        (0..count).map(|step| mean + wave(step) / 2.0).collect()
    }

    fn compare(a: &[f64], b: &[f64]) -> Difference {
        difference(of(a).expect("values"), of(b).expect("values"))
    }

    #[test]
    fn runs_of_the_same_are_noise() {
        for phase in 0..20 {
            let (a, b) = (noisy(10.0, 120, 0.0), noisy(10.0, 120, f64::from(phase)));
            assert_eq!(compare(&a, &b), Difference::Noise, "phase {phase}");
        }
    }

    #[test]
    fn what_differs_is_found_in_its_direction() {
        let a = noisy(10.0, 120, 0.0);
        assert_eq!(compare(&a, &noisy(12.0, 120, 3.0)), Difference::Higher);
        assert_eq!(compare(&a, &noisy(8.0, 120, 3.0)), Difference::Lower);
    }

    #[test]
    fn what_is_not_worth_a_word_and_what_cannot_be_told() {
        // Certain, and one percent.
        assert_eq!(compare(&[100.0; 60], &[101.0; 60]), Difference::Noise);
        assert_eq!(compare(&[1.0; 60], &[2.0; 5]), Difference::Unknown);
        assert_eq!(of(&[]), None);
    }
}
