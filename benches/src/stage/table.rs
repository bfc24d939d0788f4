//! The table and the JSON objects.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Column, operations::Measured};

/// One row for each operation, one column for each audience, and how much more the largest costs than
/// the smallest.
pub(super) fn text(columns: &[Column]) -> String {
    let mut text = format!("{:<36}", "median (10 to 90 of 100)");
    for (listeners, _) in columns {
        text += &format!(" {:>22}", format!("{listeners} listeners"));
    }
    text += "   ratio\n";
    for row in 0..rows(columns) {
        let mut line = String::new();
        for (_, column) in columns {
            let measured = &column[row];
            if line.is_empty() {
                line = format!("{:<36}", measured.name);
            }
            let (low, high) = (
                measured.samples.quantile(0.1),
                measured.samples.quantile(0.9),
            );
            let spread = format!("({} - {})", short(low), short(high));
            line += &format!(" {:>7} {spread:>14}", short(measured.samples.median()));
        }
        let note = if touches_audience(columns, row) {
            " (concerns everybody)"
        } else {
            ""
        };
        writeln!(text, "{line} {:>7.1}{note}", ratio(columns, row)).expect("a string takes it");
    }
    text
}

/// One object for each operation and audience.
pub(super) fn json(columns: &[Column], stage: u16) -> Vec<Value> {
    let object = |listeners: u16, measured: &Measured, ratio: f64| {
        json!({
            "bench": "stage",
            "operation": measured.name,
            "listeners": listeners,
            "stage": stage,
            "us": measured.samples.median(),
            "us_p10": measured.samples.quantile(0.1),
            "us_p90": measured.samples.quantile(0.9),
            "samples": measured.samples.count(),
            "touches_audience": measured.touches_audience,
            "largest_to_smallest": ratio,
        })
    };
    let of_column = |(listeners, column): &Column| {
        let rows = column.iter().enumerate();
        let objects = rows.map(|(row, measured)| object(*listeners, measured, ratio(columns, row)));
        objects.collect::<Vec<_>>()
    };
    columns.iter().flat_map(of_column).collect()
}

fn rows(columns: &[Column]) -> usize {
    columns.first().map_or(0, |(_, column)| column.len())
}

fn touches_audience(columns: &[Column], row: usize) -> bool {
    columns
        .iter()
        .any(|(_, column)| column[row].touches_audience)
}

/// The median in the largest audience beside that in the smallest.
fn ratio(columns: &[Column], row: usize) -> f64 {
    let median = |column: Option<&Column>| {
        column.map_or(f64::NAN, |(_, column)| column[row].samples.median())
    };
    let size = |column: &&Column| column.0;
    median(columns.iter().max_by_key(size)) / median(columns.iter().min_by_key(size))
}

/// Three digits, for values from fractions of a microsecond to milliseconds.
fn short(value: f64) -> String {
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Samples;

    fn column(listeners: u16, microseconds: f64) -> Column {
        let measured = Measured {
            name: "a change",
            touches_audience: false,
            samples: Samples::new(vec![microseconds]),
        };
        (listeners, vec![measured])
    }

    #[test]
    fn the_largest_audience_is_compared_with_the_smallest() {
        let columns = [column(1_000, 3.0), column(10, 1.5), column(100, 100.0)];
        let text = text(&columns);
        assert!(text.contains("1000 listeners"), "{text}");
        let row = text.lines().last().unwrap_or_default();
        assert!(
            row.starts_with("a change") && row.ends_with(" 2.0"),
            "{row}"
        );
        let objects = json(&columns, 20);
        assert_eq!(objects.len(), 3);
        assert_eq!(objects[1]["us"], 1.5);
        assert_eq!(objects[1]["largest_to_smallest"], 2.0);
    }
}
