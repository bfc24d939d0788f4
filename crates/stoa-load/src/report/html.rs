//! A run as one page that needs nothing else: to look at, to keep, to send around.

use super::{
    Report, Second,
    chart::{Chart, Line, count_of, escape, number_of},
    table,
};

pub(crate) const STYLE: &str = include_str!("page.css");

type Value = fn(&Second) -> Option<f64>;

/// The page.
pub(crate) fn draw(report: &Report) -> String {
    let title = format!("stoa-load: {}", report.scenario);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{}{}{}<h2>Over time</h2>\n\
         <div class=\"charts\">\n{}</div>\n<h2>In figures</h2>\n<pre>{}</pre>\n\
         <h2>What was played</h2>\n{}<pre>{}</pre>\n</body></html>\n",
        verdict(report),
        keys(report),
        ramp(report),
        charts(report),
        escape(&table::draw(report)),
        circumstances(report),
        escape(&report.scenario_yaml),
        title = escape(&title),
    )
}

fn verdict(report: &Report) -> String {
    let class = match (
        report.complete && report.valid,
        report.limits_broken.is_empty(),
    ) {
        (false, _) => "bad",
        (true, false) => "worse",
        (true, true) => "good",
    };
    format!(
        "<p class=\"verdict {class}\">{}</p>\n",
        escape(&table::verdict(report))
    )
}

/// The figures that one looks at first.
fn keys(report: &Report) -> String {
    let sound = || report.groups.iter().filter(|group| !group.impaired);
    let peers: u64 = report.groups.iter().map(|group| group.peers).sum();
    let (expected, lost) = sound().fold((0, 0), |(expected, lost), group| {
        (expected + group.expected, lost + group.lost.max(0))
    });
    let loss = if expected > 0 {
        100.0 * lost as f64 / expected as f64
    } else {
        0.0
    };
    let worst = sound()
        .filter_map(|group| group.latency_ms)
        .map(|latency| latency.p99);
    let worst = worst.reduce(f64::max);
    let server = report.server.clone().unwrap_or_default();
    let mut keys = vec![
        (count_of(peers), "peers at the end"),
        (count_of(expected), "packets expected"),
        (format!("{} %", number_of(loss)), "lost"),
    ];
    keys.extend(worst.map(|worst| {
        let worst = table::latency_of(worst, report.latency_within_ms);
        (format!("{worst} ms"), "latency added, p99")
    }));
    let mut some = |value: Option<f64>, unit: &str, name| {
        keys.extend(value.map(|value| (format!("{} {unit}", number_of(value)), name)));
    };
    some(
        report.joins.first_audio_ms.map(|join| join.p95),
        "ms",
        "offer to first audio, p95",
    );
    some(
        server.cpu_us_per_packet,
        "\u{b5}s",
        "server CPU for each packet heard",
    );
    some(
        server.memory_bytes.map(|bytes| bytes as f64 / 1_048_576.0),
        "MiB",
        "server memory",
    );
    if let Some(ramp) = &report.ramp {
        let knee = ramp.knee.map_or("none".to_owned(), count_of);
        keys.push((knee, "peers at the knee"));
    }
    let keys: String = keys
        .iter()
        .map(|(value, name)| format!("<div><b>{}</b>{}</div>", escape(value), escape(name)))
        .collect();
    format!("<div class=\"keys\">{keys}</div>\n")
}

fn charts(report: &Report) -> String {
    let measured = || {
        report
            .seconds
            .iter()
            .filter(|second| second.measured)
            .map(|second| second.at)
    };
    let span = measured().next().zip(measured().next_back());
    let draw = |title, unit, lines: &[(&'static str, Value)]| {
        let line = |(name, value): &(&'static str, Value)| Line {
            name,
            points: points(&report.seconds, *value),
        };
        Chart {
            title,
            unit,
            across: "seconds",
            lines: lines
                .iter()
                .map(line)
                .filter(|line| !line.points.is_empty())
                .collect(),
            measured: span,
            mark: None,
        }
        .draw()
    };
    [
        draw(
            "Latency added",
            "ms",
            &[
                ("p50", |second| second.latency_p50_ms),
                ("p95", |second| second.latency_p95_ms),
                ("p99", |second| second.latency_p99_ms),
            ],
        ),
        draw(
            "Packets lost",
            "%",
            &[("lost", |second| Some(second.loss_percent))],
        ),
        draw(
            "Audio missing",
            "ms a minute, each listener",
            &[("missing", |second| Some(second.gap_ms_per_minute))],
        ),
        draw(
            "Peers",
            "connected",
            &[("peers", |second| Some(second.peers as f64))],
        ),
        draw(
            "Packets received",
            "a second",
            &[("received", |second| Some(second.received as f64))],
        ),
        draw(
            "Joins",
            "a second",
            &[
                ("connected", |second| Some(second.joined as f64)),
                ("refused", |second| Some(second.refused as f64)),
            ],
        ),
        draw(
            "Server CPU",
            "% of a core",
            &[
                ("server", |second| second.server_cpu_percent),
                ("busiest media worker", |second| {
                    second.server_busiest_percent
                }),
            ],
        ),
        draw(
            "Server CPU for each packet heard",
            "\u{b5}s",
            &[("each", |second| second.server_cpu_us_per_packet)],
        ),
        draw(
            "Server memory",
            "MiB",
            &[("resident", |second| {
                second
                    .server_memory_bytes
                    .map(|bytes| bytes as f64 / 1_048_576.0)
            })],
        ),
        draw(
            "What the server holds",
            "count",
            &[
                ("open descriptors", |second| {
                    second.server_descriptors.map(|count| count as f64)
                }),
                ("timers", |second| {
                    second.server_timers.map(|count| count as f64)
                }),
            ],
        ),
        draw(
            "The tester: how late it was",
            "ms",
            &[("p99", |second| Some(second.tester.lag_p99_ms))],
        ),
        draw(
            "The tester's memory",
            "MiB",
            &[("resident", |second| {
                second
                    .tester
                    .memory_bytes
                    .map(|bytes| bytes as f64 / 1_048_576.0)
            })],
        ),
        draw(
            "CPU beside the server's",
            "% of a core",
            &[
                ("busiest thread", |second| {
                    Some(second.tester.busiest_percent)
                }),
                ("all", |second| Some(second.tester.cpu_percent)),
                ("other programs", |second| second.tester.others_percent),
            ],
        ),
    ]
    .concat()
}

fn points(seconds: &[Second], value: Value) -> Vec<(f64, f64)> {
    let point = |second: &Second| Some((second.at, value(second)?));
    seconds.iter().filter_map(point).collect()
}

fn ramp(report: &Report) -> String {
    let Some(ramp) = &report.ramp else {
        return String::new();
    };
    let line = |name, value: fn(&super::Step) -> Option<f64>| Line {
        name,
        points: ramp
            .steps
            .iter()
            .filter_map(|step| Some((step.peers as f64, value(step)?)))
            .collect(),
    };
    let draw = |title, unit, lines: Vec<Line<'static>>| {
        Chart {
            title,
            unit,
            across: "peers",
            lines: lines
                .into_iter()
                .filter(|line| !line.points.is_empty())
                .collect(),
            measured: None,
            mark: ramp.knee.map(|knee| (knee as f64, "knee")),
        }
        .draw()
    };
    let charts = [
        draw(
            "Latency added",
            "ms",
            vec![
                line("p50", |step| step.latency_ms.map(|latency| latency.p50)),
                line("p95", |step| step.latency_ms.map(|latency| latency.p95)),
                line("p99", |step| step.latency_ms.map(|latency| latency.p99)),
            ],
        ),
        draw(
            "Packets lost",
            "%",
            vec![line("lost", |step| Some(step.loss_percent))],
        ),
        draw(
            "Server CPU",
            "% of a core",
            vec![line("server", |step| step.server_cpu_percent)],
        ),
    ];
    format!(
        "<h2>The ramp</h2>\n<div class=\"charts\">\n{}</div>\n",
        charts.concat()
    )
}

fn circumstances(report: &Report) -> String {
    let machine = &report.machine;
    let mut lines = vec![
        format!(
            "tester {}, server {}",
            report.tester_version, report.server_version
        ),
        format!(
            "{}, {} cores, Linux {}; {}",
            machine.processor,
            machine.cores,
            machine.kernel,
            match report.agents.len() {
                0 => format!("{} threads of peers", machine.tester_threads),
                agents => format!("the peers were at {agents} agents"),
            }
        ),
        format!(
            "seed {}; one of {} peers was looked at closely; began {}",
            report.seed,
            report.verify_one_of,
            time_of_day(report.started)
        ),
    ];
    if !report.changes.is_empty() {
        lines.push(format!(
            "changed on the command line: {}",
            report.changes.join(", ")
        ));
    }
    let item = |line: &String| format!("<li>{}</li>", escape(line));
    format!("<ul>{}</ul>\n", lines.iter().map(item).collect::<String>())
}

/// When it was, to the minute.
fn time_of_day(seconds_since_1970: u64) -> String {
    let seconds = i64::try_from(seconds_since_1970).unwrap_or(i64::MAX);
    match time::OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(at) => format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()),
        // A report that somebody has written by hand.
        Err(_) => format!("{seconds_since_1970} s after 1970-01-01"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(time_of_day(0), "1970-01-01 00:00 UTC");
        assert_eq!(time_of_day(1_795_693_065), "2026-11-26 11:37 UTC");
        assert!(time_of_day(u64::MAX).ends_with("s after 1970-01-01"));
    }
}
