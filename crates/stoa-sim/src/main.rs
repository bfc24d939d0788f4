//! `stoa-sim`: lives random lives of rooms and tells which seeds broke a rule.

#![forbid(unsafe_code)]

use std::{
    num::NonZero,
    panic,
    process::ExitCode,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use stoa_sim::life::{Outcome, live, shortest};

/// How many violations of one seed are shown.
const SHOWN: usize = 5;

/// Of how many seeds the shortest part is looked for that breaks the rule: it takes many lives.
const SHORTENED: usize = 3;

/// How many lives that have ended may wait to be told of; the threads wait then.
const OUTCOMES: usize = 64;

/// Lives short random lives of voice rooms on a virtual network, one for each seed: people come, talk,
/// are muted, vanish and come back over bad links. Ends with 1 if any rule was broken.
///
/// Of the first seeds that break one, it tells the shortest story that it finds in which the rule is still
/// broken. To see all of a life: `--first SEED --story`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Seeds that were never lived before: the first is taken from the clock, and told.
    #[arg(long, conflicts_with = "first")]
    fresh: bool,
    /// How many threads live them; as many as there are processors, unless told otherwise.
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// How many lives are lived to find the shortest story of a broken rule; 0 for none.
    #[arg(long, default_value_t = 300)]
    tries: usize,
    /// Tell what was done in each life, too.
    #[arg(long)]
    story: bool,
}

/// What came of all seeds.
#[derive(Default)]
struct Total {
    heard: usize,
    steps: u64,
    deeds: usize,
    failed: Vec<u64>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if arguments.fresh {
        arguments.first = seed_of_the_clock();
        println!("seeds from {}", arguments.first);
    }
    if arguments.seeds > 1 {
        // What panicked is told with its seed. Whoever wants to see where asks for that seed alone.
        panic::set_hook(Box::new(|_| {}));
    }
    let progress = progress(arguments.seeds);
    let started = Instant::now();
    let mut total = Total::default();
    live_all(&arguments, |seed, outcome| {
        total.heard += outcome.heard;
        total.steps += outcome.steps;
        total.deeds += outcome.deeds;
        let is_broken = !outcome.violations.is_empty();
        if arguments.story || is_broken {
            progress.suspend(|| tell(seed, &outcome, arguments.story));
        }
        if is_broken {
            if total.failed.len() < SHORTENED && arguments.tries > 0 {
                progress.suspend(|| tell_shortest(seed, &outcome, arguments.tries));
            }
            total.failed.push(seed);
        }
        progress.inc(1);
    });
    progress.finish_and_clear();
    println!("{}", summary(arguments.seeds, &total, started.elapsed()));
    if total.failed.is_empty() {
        println!("all rules held");
        return ExitCode::SUCCESS;
    }
    let mut failed = total.failed;
    failed.sort_unstable();
    println!("rules were broken with {} seeds: {failed:?}", failed.len());
    ExitCode::FAILURE
}

/// Lives all lives, a few at a time, and hands over what came of each, in whatever order they end.
fn live_all(arguments: &Arguments, mut take: impl FnMut(u64, Outcome)) {
    let jobs = arguments.jobs.or(thread::available_parallelism().ok());
    let next = AtomicU64::new(0);
    let (sender, outcomes) = mpsc::sync_channel(OUTCOMES);
    thread::scope(|scope| {
        for _ in 0..jobs.map_or(1, NonZero::get) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= arguments.seeds {
                        return;
                    }
                    let seed = arguments.first.wrapping_add(number);
                    if sender.send((seed, live(seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (seed, outcome) in outcomes {
            take(seed, outcome);
        }
    });
}

/// Another one each time.
fn seed_of_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    // Milliseconds, so that it can be typed; a program's runs are further apart.
    now.map_or(0, |now| now.as_millis() as u64)
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

fn tell_shortest(seed: u64, outcome: &Outcome, tries: usize) {
    let Some(first) = outcome.violations.first() else {
        return;
    };
    let rule = first.rule;
    let (part, short) = shortest(seed, outcome, rule, tries);
    let deeds = short.deeds - part.without.len();
    println!(
        "  the shortest story found with \"{rule}\" broken, {deeds} of {} deeds:",
        outcome.deeds
    );
    short.story.iter().for_each(|line| println!("    {line}"));
    let broken = short.violations.iter();
    let broken = broken.filter(|violation| violation.rule == rule).take(1);
    broken.for_each(|violation| println!("    {violation}"));
}

fn summary(lives: u64, total: &Total, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let rate = lives as f64 / seconds.max(1e-3);
    let Total {
        heard,
        steps,
        deeds,
        ..
    } = total;
    format!(
        "{lives} lives in {seconds:.1} s: {rate:.1} lives/s, {steps} events, {deeds} deeds, {heard} packets heard"
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_of_the_documents_are_taken() {
        stoa_docs::assert_commands("stoa-sim", &Arguments::command());
    }

    #[test]
    fn the_template_of_the_progress_bar_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
