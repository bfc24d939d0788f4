//! A run as a table for a terminal.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Group, Machine, Report, chart::number_of, course};
use crate::histogram::Percentiles;

/// The whole of what one reads at the end.
pub(crate) fn draw(report: &Report) -> String {
    let mut text = format!(
        "{} against {} (server {}), {} s measured\n{}\n",
        report.scenario,
        report.target,
        or_unknown(&report.server_version),
        report.measured_seconds,
        verdict(report)
    );
    text.push_str(&groups(&report.groups, report.latency_within_ms));
    text.push_str(&agents(report));
    let joins = &report.joins;
    let _ = writeln!(
        text,
        "\njoins      {} of {} connected",
        joins.connected, joins.asked
    );
    percentiles(&mut text, "  offer to connected", joins.connect_ms);
    percentiles(&mut text, "  offer to first audio", joins.first_audio_ms);
    counts(&mut text, "  refused", &joins.refused);
    counts(&mut text, "  failed", &joins.failed);
    for group in &report.groups {
        counts(
            &mut text,
            &format!("  sessions of {} that ended", group.name),
            &group.failed,
        );
    }
    if let Some(moderation) = &report.moderation {
        let (promoted, unheard) = (moderation.promoted, moderation.unheard);
        let _ = writeln!(
            text,
            "\npromoted   {promoted}, of whom {unheard} were not heard"
        );
        percentiles(&mut text, "  call to audible", moderation.audible_ms);
    }
    server(&mut text, report);
    text.push_str(&course::draw(report));
    ramp(&mut text, report);
    text
}

/// Whether the figures can be used, in a few lines.
pub(crate) fn verdict(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some(why) = &report.partial_because {
        lines.push(format!("PARTIAL: {why}"));
    }
    lines.extend(
        report
            .invalid_because
            .iter()
            .map(|why| format!("NOT VALID: {why}")),
    );
    lines.extend(
        report
            .limits_broken
            .iter()
            .map(|what| format!("beyond the limits: {what}")),
    );
    if lines.is_empty() {
        let limits = match &report.ramp {
            // It has gone on until they broke, or to its end.
            Some(ramp) if ramp.broke.is_some() => "up to its knee within the scenario's limits",
            _ => "within the scenario's limits",
        };
        lines.push(format!("complete, valid, {limits}"));
    }
    lines.join("\n")
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "unknown" } else { text }
}

/// What each group heard, a column each.
fn groups(groups: &[Group], within: Option<f64>) -> String {
    type Cell = fn(&Group) -> String;
    type Share = fn(&Percentiles) -> f64;
    let latency = |group: &Group, of: Share| {
        group
            .latency_ms
            .map_or("-".to_owned(), |latency| latency_of(of(&latency), within))
    };
    let rows: [(&str, Cell); 13] = [
        ("peers", |group| group.peers.to_string()),
        ("packets sent", |group| group.spoken.to_string()),
        ("packets expected", |group| group.expected.to_string()),
        ("lost", |group| {
            format!("{} ({} %)", group.lost, number_of(group.loss_percent))
        }),
        ("late", |group| group.late.to_string()),
        ("duplicated", |group| group.duplicate.to_string()),
        ("reordered", |group| group.reordered.to_string()),
        ("audio missing, ms a minute", |group| {
            number_of(group.gap_ms_per_minute)
        }),
        ("changes of speaker a minute", |group| {
            number_of(group.slot_changes_per_minute)
        }),
        ("packets looked at", |group| group.checked.to_string()),
        ("  of them wrong", |group| wrong(group).to_string()),
        ("onset missed p99, ms", |group| {
            group
                .onset_ms
                .map_or("-".to_owned(), |onset| number_of(onset.p99))
        }),
        ("latency, ms", |_| String::new()),
    ];
    let mut lines: Vec<Vec<String>> = vec![Vec::new()];
    lines[0].push(String::new());
    lines[0].extend(groups.iter().map(|group| {
        let mark = if group.impaired { " (bad network)" } else { "" };
        format!("{}{mark}", group.name)
    }));
    for (name, cell) in rows {
        let mut line = vec![name.to_owned()];
        line.extend(groups.iter().map(cell));
        lines.push(line);
    }
    let of: [(&str, Share); 4] = [
        ("  p50", |latency| latency.p50),
        ("  p95", |latency| latency.p95),
        ("  p99", |latency| latency.p99),
        ("  max", |latency| latency.max),
    ];
    for (name, of) in of {
        let mut line = vec![name.to_owned()];
        line.extend(groups.iter().map(|group| latency(group, of)));
        lines.push(line);
    }
    columns(&lines)
}

/// A latency, and how far off it may be. Of one that is less than that, nothing else is known.
pub(crate) fn latency_of(value: f64, within: Option<f64>) -> String {
    match within {
        None => number_of(value),
        Some(within) if value <= within => format!("below {}", number_of(within)),
        Some(within) => format!("{} \u{b1} {}", number_of(value), number_of(within)),
    }
}

/// The machines that had the peers, a line each.
fn agents(report: &Report) -> String {
    if report.agents.is_empty() {
        return String::new();
    }
    let head = [
        "\nagent",
        "threads",
        "peers",
        "share, %",
        "clock ahead, ms",
        "valid",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(report.agents.iter().map(|agent| {
        let [ahead, within] = [agent.clock_ahead_ms, agent.clock_within_ms].map(number_of);
        vec![
            agent.address.clone(),
            agent.machine.tester_threads.to_string(),
            agent.peers.to_string(),
            number_of(agent.share_percent),
            format!("{ahead} \u{b1} {within}"),
            if agent.valid { "yes" } else { "NO" }.to_owned(),
        ]
    }));
    let mut text = columns(&lines);
    for agent in &report.agents {
        let Machine {
            processor,
            cores,
            kernel,
            ..
        } = &agent.machine;
        let _ = writeln!(
            text,
            "  {}: {processor}, {cores} cores, Linux {kernel}",
            agent.address
        );
    }
    text
}

/// Packets that should not have been heard as they were.
pub(crate) fn wrong(group: &Group) -> u64 {
    group.corrupt + group.own_voice + group.wrong_voice + group.forbidden
}

/// The first column to the left, the others to the right.
pub(crate) fn columns(lines: &[Vec<String>]) -> String {
    let count = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let mut row = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            let _ = match column {
                0 => write!(row, "{cell:<width$}"),
                _ => write!(row, "  {cell:>width$}"),
            };
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

fn percentiles(text: &mut String, name: &str, values: Option<Percentiles>) {
    if let Some(Percentiles {
        p50, p95, p99, max, ..
    }) = values
    {
        let [p50, p95, p99, max] = [p50, p95, p99, max].map(number_of);
        let _ = writeln!(
            text,
            "{name}: p50 {p50}, p95 {p95}, p99 {p99}, max {max} ms"
        );
    }
}

fn counts(text: &mut String, name: &str, counts: &BTreeMap<String, u64>) {
    for (why, count) in counts {
        let _ = writeln!(text, "{name}: {count} ({why})");
    }
}

fn server(text: &mut String, report: &Report) {
    let Some(server) = &report.server else {
        return;
    };
    text.push_str("\nserver");
    match server.sent.zip(server.received) {
        Some((sent, received)) => {
            let _ = writeln!(text, "     {sent} datagrams out, {received} in");
        }
        None => text.push_str("     does not tell this caller what it sent\n"),
    }
    if let Some(cpu) = server.cpu_percent {
        let _ = write!(text, "  processor: {} % of a core", number_of(cpu));
        if let Some(each) = server.cpu_us_per_packet {
            let _ = write!(text, ", {} us for each packet heard", number_of(each));
        }
        text.push('\n');
    }
    if let Some(busiest) = server.busiest_percent {
        let busiest = number_of(busiest);
        let _ = writeln!(text, "  its busiest media worker: {busiest} % of a core");
    }
    if let Some(memory) = server.memory_bytes {
        let _ = writeln!(text, "  memory: {} MiB", memory >> 20);
    }
    if let Some(by) = &server.measured_by {
        let _ = writeln!(text, "  processor and memory as {by}");
    }
    if server.metrics_missed > 0 {
        let missed = server.metrics_missed;
        let _ = writeln!(text, "  its metrics were not to be had in {missed} seconds");
    }
    counts(text, "  dropped", &server.dropped);
}

fn ramp(text: &mut String, report: &Report) {
    let Some(ramp) = &report.ramp else {
        return;
    };
    let mut lines = vec![
        ["\npeers", "loss, %", "p99, ms", "missing, ms/min", "CPU, %"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for step in &ramp.steps {
        let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), number_of);
        lines.push(vec![
            step.peers.to_string(),
            number_of(step.loss_percent),
            or_dash(step.latency_ms.map(|latency| latency.p99)),
            number_of(step.gap_ms_per_minute),
            or_dash(step.server_cpu_percent),
        ]);
    }
    text.push_str(&columns(&lines));
    let knee = ramp
        .knee
        .map_or("none".to_owned(), |knee| format!("{knee} peers"));
    let _ = writeln!(text, "knee: {knee}");
    let broke = ramp
        .broke
        .as_deref()
        .unwrap_or("nothing: the scenario's end came first");
    let _ = writeln!(text, "what broke after it: {broke}");
}
