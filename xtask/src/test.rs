//! `cargo xtask test`: every step in order, the cheapest first, with a table at the close.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use clap::{Subcommand, ValueEnum};

use crate::environment::Tools;
use crate::process;
use crate::report::{Failure, Outcome, Row, Verdict, table};
use crate::{deny, deploy, msrv, setup, tidy, workspace};

/// The steps, in the order in which they run. Each is also a sub-command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand, ValueEnum)]
pub(crate) enum Step {
    /// The formatting is rustfmt's
    Fmt,
    /// The project's own rules hold (file length, names, what the core may use, ...)
    Tidy,
    /// No dependency needs a newer Rust than ours
    Msrv,
    /// Install what the tests need beyond Rust, where it is missing
    Setup,
    /// Licences, bans and sources of the dependencies
    Deny,
    /// Known vulnerabilities of the dependencies (needs the RustSec database)
    Advisories,
    /// Rules, dashboard, chart, container and unit, judged by the programs that will read them
    Deploy,
    /// Lints, in all targets, none tolerated
    Clippy,
    /// The documentation builds without a warning
    Doc,
    /// All Rust tests, the ones with browsers and other stacks included
    Tests,
    /// The benches run, each for a few seconds
    BenchSmoke,
}

/// The benches that run in a few seconds with `--quick`.
const BENCHES: [&str; 7] = [
    "forward",
    "stage",
    "promote",
    "node",
    "admission",
    "flood",
    "send",
];

/// What clippy, the tests and the benches are built with, the same everywhere, or everything would be built anew. The
/// step `doc` builds stoad as it is without features.
const FEATURES: [&str; 2] = ["--features", "stoad/opentelemetry"];

/// How the steps are run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only this step (may be given more than once)
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Leave this step out (may be given more than once)
    #[arg(long, value_name = "STEP")]
    skip: Vec<Step>,
    /// Run the steps after a failed one too
    #[arg(long)]
    keep_going: bool,
    /// Fail if the advisory database is out of reach
    #[arg(long)]
    require_advisories: bool,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Tidy => "tidy",
            Self::Msrv => "msrv",
            Self::Setup => "setup",
            Self::Deny => "deny",
            Self::Advisories => "advisories",
            Self::Deploy => "deploy",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::Tests => "tests",
            Self::BenchSmoke => "bench-smoke",
        }
    }

    /// Runs the step alone.
    pub(crate) fn run(self, require_advisories: bool) -> Outcome {
        match self {
            Self::Fmt => cargo(&["fmt", "--all", "--check"], &[]),
            Self::Tidy => tidy::step(),
            Self::Msrv => msrv::step(),
            Self::Setup => setup::step(),
            Self::Deny => deny::step(),
            Self::Advisories => deny::advisories(require_advisories),
            Self::Deploy => deploy::step(),
            Self::Clippy => {
                let what = ["clippy", "--workspace", "--all-targets", "--locked"];
                cargo(
                    &[&what[..], &FEATURES, &["--", "-D", "warnings"]].concat(),
                    &[],
                )
            }
            Self::Doc => {
                let what = ["doc", "--workspace", "--no-deps", "--locked"];
                cargo(&what, &[("RUSTDOCFLAGS", Path::new("-D warnings"))])
            }
            Self::Tests => {
                let tools = Tools::below(&workspace::read()?.target);
                let variables = tools.variables();
                let variables: Vec<_> = variables
                    .iter()
                    .map(|(name, path)| (*name, path.as_path()))
                    .collect();
                let what = ["test", "--workspace", "--locked"];
                cargo(&[&what[..], &FEATURES].concat(), &variables)
            }
            Self::BenchSmoke => bench_smoke(),
        }
    }
}

/// Runs each bench for a few seconds. Everything is built as the step before has built it: one package
/// alone would have its dependencies with other features, and so built a second time.
fn bench_smoke() -> Outcome {
    let programs = ["build", "--workspace", "--bins", "--tests", "--locked"];
    cargo(&[&programs[..], &FEATURES].concat(), &[])?;
    let program = workspace::read()?.target.join("debug/stoa-bench");
    for name in BENCHES {
        process::run(Command::new(&program).args([name, "--quick"]))?;
    }
    // Each once: without `--bench` Criterion measures nothing.
    let steps = ["test", "--workspace", "--locked", "--bench", "steps"];
    let bench = ["--features", "stoa-core/bench"];
    cargo(&[&steps[..], &FEATURES, &bench].concat(), &[])
}

fn cargo(args: &[&str], variables: &[(&str, &Path)]) -> Outcome {
    let mut command = process::cargo();
    command.current_dir(workspace::root()).args(args);
    for (name, value) in variables {
        command.env(name, value);
    }
    process::run(&mut command)?;
    Ok(Verdict::Passed)
}

/// Runs the chosen steps and prints the table. An error if any step failed.
pub(crate) fn all(options: &Options) -> Result<(), Failure> {
    let steps = chosen(options)?;
    let started = Instant::now();
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for step in steps {
        let name = step.name();
        let help = step.to_possible_value();
        let help = help.as_ref().and_then(|value| value.get_help());
        println!("\n==== {name}: {}", help.cloned().unwrap_or_default());
        let began = Instant::now();
        let outcome = step.run(options.require_advisories);
        let row = Row::new(name, &outcome, began.elapsed());
        let seconds = row.took.as_secs_f64();
        println!("---- {name}: {} after {seconds:.1} s", row.result);
        rows.push(row);
        if let Err(failure) = outcome {
            println!("{name}: {failure}");
            failed.push(name);
            if !options.keep_going {
                break;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("\n{}\nall in {seconds:.1} s", table(&rows));
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("failed: {}", failed.join(", "))))
    }
}

/// The steps to run, in order. Choosing none is a mistake and not a pass.
fn chosen(options: &Options) -> Result<Vec<Step>, Failure> {
    let wanted = |step: &&Step| {
        (options.only.is_empty() || options.only.contains(step)) && !options.skip.contains(step)
    };
    let steps: Vec<Step> = Step::value_variants()
        .iter()
        .filter(wanted)
        .copied()
        .collect();
    if steps.is_empty() {
        return Err(Failure::new("--only and --skip leave no step to run"));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: &[Step], skip: &[Step]) -> Options {
        Options {
            only: only.to_vec(),
            skip: skip.to_vec(),
            keep_going: false,
            require_advisories: false,
        }
    }

    #[test]
    fn steps_run_in_their_own_order() {
        let steps = chosen(&options(&[Step::Tests, Step::Fmt, Step::Doc], &[Step::Doc]));
        assert_eq!(steps.expect("two are left"), [Step::Fmt, Step::Tests]);
        let all = chosen(&options(&[], &[])).expect("all of them");
        assert_eq!(all, Step::value_variants());
    }

    #[test]
    fn no_step_at_all_is_not_a_pass() {
        assert!(chosen(&options(&[Step::Fmt], &[Step::Fmt])).is_err());
    }

    #[test]
    fn a_step_has_one_name_everywhere() {
        for step in Step::value_variants() {
            let value = step.to_possible_value().expect("no step is hidden");
            assert_eq!(value.get_name(), step.name());
        }
    }
}
