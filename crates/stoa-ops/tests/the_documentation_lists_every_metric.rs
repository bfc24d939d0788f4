//! docs/metrics.md and the catalogue have the same metrics, and drops the same reasons.

use std::{collections::BTreeSet, fs, path::Path};

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

/// What a histogram adds to its name.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// Whether the node has such a metric.
fn exists(name: &str) -> bool {
    CATALOGUE.iter().any(|metric| {
        let end = name.strip_prefix(metric.name);
        let is_histogram = metric.kind == stoa_ops::Kind::Histogram;
        end.is_some_and(|end| end.is_empty() || is_histogram && OF_HISTOGRAMS.contains(&end))
    })
}

#[test]
fn the_documents_name_only_metrics_that_there_are() {
    // The log's targets and paths in code are of crates, whose names begin alike.
    let crates = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let crates: BTreeSet<String> = crates
        .expect("the crates can be listed")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().replace('-', "_"))
        .collect();
    let mut wrong = Vec::new();
    for document in stoa_docs::documents().expect("the documents can be read") {
        for (index, line) in document.text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let names = words.filter(|word| word.starts_with("stoa_") && !crates.contains(*word));
            wrong.extend(
                names
                    .filter(|name| !exists(name))
                    .map(|name| format!("{}:{}: {name}", document.path, index + 1)),
            );
        }
    }
    assert!(wrong.is_empty(), "there are no such metrics: {wrong:#?}");
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
