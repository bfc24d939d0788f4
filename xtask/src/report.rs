//! What a step says when it ends, and the table of all steps at the close.

use std::fmt::Write as _;
use std::time::Duration;

/// How a step ended when it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything the step looks at is as it should be.
    Passed,
    /// The step could not look at all, for the reason given. Never a pass.
    Skipped(String),
}

/// Why a step failed, in a sentence for the person who has to mend it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every step returns.
pub(crate) type Outcome = Result<Verdict, Failure>;

/// One row of the closing table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) step: &'static str,
    pub(crate) result: String,
    pub(crate) took: Duration,
}

impl Row {
    pub(crate) fn new(step: &'static str, outcome: &Outcome, took: Duration) -> Self {
        let result = match outcome {
            Ok(Verdict::Passed) => "passed".to_owned(),
            Ok(Verdict::Skipped(why)) => format!("SKIPPED: {why}"),
            Err(_) => "FAILED".to_owned(),
        };
        Self { step, result, took }
    }
}

/// The closing table: step, seconds, result; the result last because only it can be long.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.step.len()).max().unwrap_or(0);
    let width = width.max("step".len());
    let mut out = format!("{:width$}  {:>8}  result\n", "step", "seconds");
    for row in rows {
        let seconds = row.took.as_secs_f64();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:width$}  {seconds:>8.1}  {}", row.step, row.result);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_step_is_never_shown_as_passed() {
        let outcome = Ok(Verdict::Skipped(
            "advisory database out of reach".to_owned(),
        ));
        let rows = [
            Row::new("fmt", &Ok(Verdict::Passed), Duration::from_millis(1200)),
            Row::new("advisories", &outcome, Duration::ZERO),
            Row::new("tidy", &Err(Failure::new("no")), Duration::ZERO),
        ];
        let table = table(&rows);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[1], "fmt              1.2  passed");
        assert_eq!(
            lines[2],
            "advisories       0.0  SKIPPED: advisory database out of reach"
        );
        assert_eq!(lines[3], "tidy             0.0  FAILED");
    }
}
