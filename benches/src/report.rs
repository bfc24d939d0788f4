//! The table and the JSON lines.

use serde_json::json;

/// The result for one room.
pub(crate) struct Row {
    listeners: u16,
    /// How many packets left the node while it was timed.
    packets: u64,
    median: f64,
    min: f64,
    max: f64,
}

impl Row {
    /// `rounds` are microseconds for each packet forwarded; at least one.
    pub(crate) fn new(listeners: u16, packets: u64, mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |index: usize| rounds.get(index).copied().unwrap_or(f64::NAN);
        Self {
            listeners,
            packets,
            median: at(rounds.len() / 2),
            min: at(0),
            max: at(rounds.len().saturating_sub(1)),
        }
    }
}

/// What stands above the table.
pub(crate) fn heading(machine: &str) -> String {
    let profile = if cfg!(debug_assertions) {
        "\nThis is a build without optimisation: the figures say nothing."
    } else {
        ""
    };
    format!(
        "forward, reference path, microseconds for each packet forwarded\n{machine}{profile}\n\n\
         {:>9} {:>12} {:>9} {:>9} {:>9}",
        "listeners", "packets", "median", "min", "max"
    )
}

/// One line of the table.
pub(crate) fn line(row: &Row) -> String {
    format!(
        "{:>9} {:>12} {:>9.2} {:>9.2} {:>9.2}",
        row.listeners, row.packets, row.median, row.min, row.max
    )
}

/// The same for programs.
pub(crate) fn json(row: &Row, machine: &str) -> String {
    json!({
        "bench": "forward",
        "path": "reference",
        "listeners": row.listeners,
        "us_per_packet": row.median,
        "us_per_packet_min": row.min,
        "us_per_packet_max": row.max,
        "packets": row.packets,
        "optimised": !cfg!(debug_assertions),
        "machine": machine,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_median_minimum_and_maximum() {
        let row = Row::new(10, 300, vec![3.0, 1.0, 2.0]);
        assert_eq!((row.median, row.min, row.max), (2.0, 1.0, 3.0));
        assert!(line(&row).ends_with("10          300      2.00      1.00      3.00"));
        let parsed: serde_json::Value = serde_json::from_str(&json(&row, "a \"machine\"")).unwrap();
        assert_eq!(parsed["us_per_packet"], 2.0);
        assert_eq!(parsed["machine"], "a \"machine\"");
    }
}
