//! `stoa-sim`: lives random lives of rooms and tells which seeds broke a rule.

#![forbid(unsafe_code)]

use std::{
    panic,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use stoa_sim::life::{Outcome, live};

/// How many violations of one seed are shown.
const SHOWN: usize = 5;

/// Lives short random lives of voice rooms on a virtual network, one for each seed: people come, talk,
/// are muted, vanish and come back over bad links. Ends with 1 if any rule was broken.
///
/// To see one again: `--first SEED --story`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Tell what was done in each life, too.
    #[arg(long)]
    story: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.seeds > 1 {
        // What panicked is told with its seed. Whoever wants to see where asks for that seed alone.
        panic::set_hook(Box::new(|_| {}));
    }
    let progress = progress(arguments.seeds);
    let started = Instant::now();
    let (mut failed, mut heard) = (Vec::new(), 0);
    for seed in (arguments.first..).take(usize::try_from(arguments.seeds).unwrap_or(usize::MAX)) {
        let outcome = live(seed);
        heard += outcome.heard;
        if arguments.story || !outcome.violations.is_empty() {
            progress.suspend(|| tell(seed, &outcome, arguments.story));
        }
        if !outcome.violations.is_empty() {
            failed.push(seed);
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    println!("{}", summary(arguments.seeds, heard, started.elapsed()));
    if failed.is_empty() {
        println!("all rules held");
        return ExitCode::SUCCESS;
    }
    println!("rules were broken with {} seeds: {failed:?}", failed.len());
    ExitCode::FAILURE
}

fn progress(seeds: u64) -> ProgressBar {
    // The template is checked by this crate's tests.
    let style = ProgressStyle::with_template(TEMPLATE);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(seeds).with_style(style)
}

const TEMPLATE: &str = "{wide_bar} {pos}/{len} lives, {per_sec}, {eta} left";

fn tell(seed: u64, outcome: &Outcome, story: bool) {
    if story {
        println!("seed {seed}:");
        outcome.story.iter().for_each(|line| println!("  {line}"));
    }
    let count = outcome.violations.len();
    if count > 0 {
        println!("seed {seed}: {count} violations");
    }
    for violation in outcome.violations.iter().take(SHOWN) {
        println!("  {violation}");
    }
    if count > 0 {
        println!("  again: cargo run --release -p stoa-sim -- --first {seed} --story");
    }
}

fn summary(lives: u64, heard: usize, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let rate = lives as f64 / seconds.max(1e-3);
    format!("{lives} lives in {seconds:.1} s: {rate:.1} lives/s, {heard} packets heard")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_of_the_progress_bar_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
