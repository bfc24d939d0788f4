//! `cargo xtask races`: loom runs what media threads have in common in every order, with more preemptions than in the tests.

use crate::{process, report::Failure, workspace};

/// How far it is searched.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often a thread may be interrupted in one order, beyond when it waits
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    preemptions: u32,
    /// After how many minutes a model is left, held so far
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
}

/// Runs the models. An error if one of them does not hold.
pub(crate) fn all(options: &Options) -> Result<(), Failure> {
    let mut command = process::cargo();
    command
        .current_dir(workspace::root())
        .env("LOOM_MAX_PREEMPTIONS", options.preemptions.to_string())
        .env("LOOM_MAX_DURATION", (options.minutes * 60).to_string())
        .args(["test", "--locked", "--package", "stoa-net"])
        .args(["--test", "nothing_is_lost_between_threads"])
        // One after the other, each with the number of its orders.
        .args(["--", "--nocapture", "--test-threads", "1"]);
    process::run(&mut command)
}
