//! The comparison as text.

use std::fmt::Write as _;

use super::{
    Comparison, Comparisons, SERVERS,
    figures::{Difference, FIGURES, Spread, heard},
};
use crate::report::{
    chart::number_of,
    table::{columns, verdict},
};

/// By how much the packets that were heard may differ, in percent, for the work to be the same.
const SAME_PERCENT: f64 = 2.0;

/// All of it.
pub(crate) fn draw(comparisons: &Comparisons) -> String {
    let parts: Vec<String> = comparisons.all.iter().map(comparison).collect();
    parts.join("\n")
}

/// One scenario.
pub(super) fn comparison(comparison: &Comparison) -> String {
    let mut text = title(comparison);
    text.push('\n');
    let mut lines = vec![
        ["", "Stoa", "Janus", "Stoa / Janus", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    for figure in FIGURES {
        let of = |side| {
            let reports = comparison.of(side);
            Spread::of(reports.into_iter().filter_map(figure.value))
        };
        let [stoa, janus] = SERVERS.map(of);
        let (Some(stoa), Some(janus)) = (stoa, janus) else {
            continue;
        };
        let ratio = stoa.median / janus.median;
        let ratio = ratio.is_finite().then(|| number_of(ratio));
        lines.push(vec![
            format!("{}, {}", figure.name, figure.unit),
            with_spread(&stoa),
            with_spread(&janus),
            ratio.unwrap_or_default(),
            words(stoa.against(&janus)).to_owned(),
        ]);
    }
    text.push_str(&columns(&lines));
    let notes = notes(comparison);
    if !notes.is_empty() {
        let _ = writeln!(text, "Take care:\n  {}", notes.join("\n  "));
    }
    text
}

pub(super) fn title(comparison: &Comparison) -> String {
    let mut text = comparison.scenario.clone();
    for change in &comparison.changes {
        let _ = write!(text, ", {change}");
    }
    text.push('\n');
    for side in SERVERS {
        let reports = comparison.of(side);
        let version = reports.first().map_or("", |report| &report.server_version);
        let seconds: u64 = reports.iter().map(|report| report.measured_seconds).sum();
        let _ = writeln!(
            text,
            "{}: {version}, {} rounds, {seconds} s in all",
            side.name(),
            reports.len()
        );
    }
    text
}

/// What stands in the way of believing it.
fn notes(comparison: &Comparison) -> Vec<String> {
    let mut notes = Vec::new();
    for (number, round) in comparison.rounds.iter().enumerate() {
        if !(round.report.valid && round.report.complete) {
            let verdict = verdict(&round.report).replace('\n', " ");
            notes.push(format!(
                "turn {} ({}): {verdict}",
                number + 1,
                round.side.name()
            ));
        }
    }
    let work = |side| {
        let reports = comparison.of(side);
        Spread::of(reports.into_iter().filter_map(heard)).map(|spread| spread.median)
    };
    let [stoa, janus] = SERVERS.map(work);
    if let Some((stoa, janus)) = stoa.zip(janus)
        && (stoa - janus).abs() > SAME_PERCENT / 100.0 * janus
    {
        notes.push(
            "they have not done the same work: the packets heard differ. A Stoa forwards as many as the room has \
             slots, a Janus all who speak"
                .to_owned(),
        );
    }
    notes
}

fn with_spread(spread: &Spread) -> String {
    let [median, least, most] = [spread.median, spread.least, spread.most].map(number_of);
    format!("{median} ({least} to {most})")
}

fn words(difference: Difference) -> &'static str {
    match difference {
        Difference::Noise => "noise",
        Difference::Higher => "STOA IS HIGHER",
        Difference::Lower => "STOA IS LOWER",
        Difference::TooFew => "too few rounds to tell",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        peers::{Round, Side},
        report::{Group, Report, Server},
    };

    fn round(side: Side, cpu: f64, received: u64) -> Round {
        let report = Report {
            complete: true,
            valid: true,
            measured_seconds: 10,
            groups: vec![Group {
                expected: received,
                received,
                ..Group::default()
            }],
            server: Some(Server {
                cpu_us_per_packet: Some(cpu),
                ..Server::default()
            }),
            ..Report::default()
        };
        Round { side, report }
    }

    fn table(received: u64) -> String {
        let rounds = [1.0, 1.1, 1.2].map(|cpu| round(Side::Stoa, cpu, 1_000));
        let others = [4.0, 4.4, 4.2].map(|cpu| round(Side::Janus, cpu, received));
        comparison(&Comparison {
            scenario: "peers-one".to_owned(),
            rounds: rounds.into_iter().chain(others).collect(),
            ..Comparison::default()
        })
    }

    #[test]
    fn they_stand_side_by_side() {
        let table = table(1_000);
        let line = table
            .lines()
            .find(|line| line.starts_with("server CPU a packet heard"));
        let line = line.expect("it is there");
        for part in ["1.1 (1 to 1.2)", "4.2 (4 to 4.4)", "0.26", "STOA IS LOWER"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!table.contains("Take care"), "{table}");
    }

    #[test]
    fn other_work_is_named() {
        assert!(table(1_100).contains("they have not done the same work"));
    }

    #[test]
    fn a_round_that_is_not_valid_is_named() {
        let mut spoilt = round(Side::Janus, 1.0, 10);
        spoilt.report.valid = false;
        let table = comparison(&Comparison {
            rounds: vec![round(Side::Stoa, 1.0, 10), spoilt],
            ..Comparison::default()
        });
        assert!(table.contains("turn 2 (Janus)"), "{table}");
        assert!(table.contains("too few rounds to tell"), "{table}");
    }
}
