//! What every bench prints and writes: a heading, figures, JSON lines.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::machine;

/// Where results go: standard output for people, and a file for programs if one was asked for.
pub(crate) struct Report {
    json: Option<(PathBuf, File)>,
    machine: String,
}

/// The file for programs cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
pub(crate) struct JsonError(PathBuf, io::Error);

impl Report {
    /// Opens the file before the work, so that a wrong path does not cost minutes, and prints what
    /// stands above the table.
    ///
    /// # Errors
    /// [`JsonError`].
    pub(crate) fn open(title: &str, json: Option<&Path>) -> Result<Self, JsonError> {
        let json = match json {
            Some(path) => {
                let file = File::create(path).map_err(|error| JsonError(path.into(), error))?;
                Some((path.into(), file))
            }
            None => None,
        };
        let machine = machine::describe();
        println!("{title}\n{machine}");
        if cfg!(debug_assertions) {
            println!("This is a build without optimisation: the figures say nothing.");
        }
        println!();
        Ok(Self { json, machine })
    }

    /// Writes one object for programs, with the machine and the build beside what is given.
    ///
    /// # Errors
    /// [`JsonError`].
    pub(crate) fn write(&mut self, mut object: Value) -> Result<(), JsonError> {
        if let Some((path, file)) = &mut self.json {
            object["optimised"] = json!(!cfg!(debug_assertions));
            object["machine"] = json!(self.machine);
            writeln!(file, "{object}").map_err(|error| JsonError(path.clone(), error))?;
        }
        Ok(())
    }
}

/// Measured values in order.
#[derive(Debug, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value that this share of them, 0 to 1, does not exceed (nearest rank); not a number where
    /// there are none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank among a few million values"
    )]
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        let index = rank.saturating_sub(1);
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(crate) fn min(&self) -> f64 {
        self.quantile(0.0)
    }

    pub(crate) fn max(&self) -> f64 {
        self.quantile(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let samples = Samples::new(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((samples.min(), samples.max()), (1.0, 4.0));
        assert_eq!((samples.median(), samples.quantile(0.99)), (2.0, 4.0));
        assert_eq!(Samples::new(vec![7.0]).median(), 7.0);
        assert!(Samples::new(Vec::new()).median().is_nan());
    }

    #[test]
    fn a_line_for_programs_names_the_machine() -> Result<(), Box<dyn std::error::Error>> {
        let file = tempfile::NamedTempFile::new()?;
        let mut report = Report::open("a bench", Some(file.path()))?;
        report.write(json!({"bench": "a"}))?;
        let parsed: Value = serde_json::from_str(&std::fs::read_to_string(file.path())?)?;
        assert_eq!(parsed["bench"], "a");
        assert_eq!(parsed["machine"], machine::describe());
        Ok(())
    }
}
