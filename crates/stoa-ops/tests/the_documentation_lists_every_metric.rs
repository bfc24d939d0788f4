//! docs/metrics.md and the catalogue have the same metrics, and drops the same reasons.

use std::collections::BTreeSet;

use stoa_core::DropReason;
use stoa_ops::CATALOGUE;

const DOCUMENT: &str = include_str!("../../../docs/metrics.md");

/// What stands in code in the first column of the tables.
fn first_columns() -> Vec<&'static str> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split(" | ").next())
        .flat_map(|column| column.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect()
}

#[test]
fn the_documentation_lists_every_metric() {
    let listed = first_columns().into_iter();
    let listed: Vec<_> = listed.filter(|name| name.starts_with("stoa_")).collect();
    let known: BTreeSet<_> = CATALOGUE.iter().map(|metric| metric.name).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), known);
    assert_eq!(listed.len(), known.len(), "a metric is listed twice");
}

#[test]
fn the_documentation_lists_every_reason_of_the_core() {
    let listed: BTreeSet<_> = first_columns().into_iter().collect();
    for reason in DropReason::ALL {
        assert!(listed.contains(reason.name()), "{}", reason.name());
    }
}

#[test]
fn names_are_as_prometheus_wants_them() {
    for metric in CATALOGUE {
        let is_counter = metric.kind == stoa_ops::Kind::Counter;
        assert_eq!(
            metric.name.ends_with("_total"),
            is_counter,
            "{}",
            metric.name
        );
        assert!(metric.help.ends_with('.'), "{}", metric.name);
        assert!(metric.labels.is_sorted(), "{}", metric.name);
    }
}
