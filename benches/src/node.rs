//! The bench "node": a real daemon with real listeners, measured from outside.
//!
//! The daemon is one process; the peers, the calls of the control API and the floors are another one,
//! this one. Its threads: the listeners, the speakers, those who join in a storm, and one for calls.

mod crowd;
mod reading;
mod table;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{
    BenchError,
    daemon::Daemon,
    floor::{self, FloorError},
    path::Path,
    progress,
    report::{Report, Samples},
    setting::Setting,
    with_runtime,
};

use self::table::Measured;
pub(crate) use self::{
    crowd::{Crowd, Heard},
    reading::{Reading, Window},
};

/// Sockets and files that are not listeners.
const OTHER_FILES: u64 = 100;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    setting: Setting,
    /// How many listen.
    #[arg(long, default_value_t = 300, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=50_000))]
    listeners: u32,
    /// Which way to listeners the daemon takes.
    #[arg(long, value_enum, default_value = "direct", value_name = "PATH")]
    egress: Path,
    /// For how many seconds there is silence, and talk.
    #[arg(long, default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// How many join at once, into a silent room of their own, while the others talk.
    #[arg(long, default_value_t = 1_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=50_000))]
    storm: u32,
    /// How many of the listeners decrypt what they hear and tell its latency; the others count packets.
    #[arg(long, default_value_t = 16, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    sampled: u32,
    /// A small run that only shows that the bench works.
    #[arg(long, conflicts_with_all = ["speakers", "listeners", "workers", "seconds", "storm", "sampled"])]
    quick: bool,
    /// Also write the results to this file, as one line of JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Arguments {
    /// How long the daemon is left alone before it is measured: handshakes and calls have ended then.
    fn settling(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { 2_000 })
    }

    /// For how long there is silence, and talk.
    fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// How many bursts and rounds of a floor are measured.
    fn floor_rounds(&self) -> u32 {
        if self.quick { 20 } else { 300 }
    }
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    #[error("{needed} sockets are needed, and {allowed} files allowed: raise `ulimit -Hn`")]
    Files { needed: u64, allowed: u64 },
    #[error("the limit of open files: {0}")]
    Limit(#[from] nix::Error),
    #[error("the kernel does not tell what sockets have dropped: {0}")]
    Drops(std::io::Error),
    #[error("the kernel does not tell how busy the machine is: {0}")]
    Machine(std::io::Error),
    #[error("{0} packets were heard and not looked at")]
    Untold(u64),
    #[error("the listeners who are sampled heard nothing")]
    Deaf,
    #[error("{0} packets were expected and {1} came: the figures would mean nothing")]
    TooMany(u64, u64),
}

/// Runs the bench.
///
/// # Errors
/// [`BenchError`] if the daemon cannot be started or refuses something, or if what the listeners heard
/// contradicts what the speakers sent.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), BenchError> {
    if arguments.quick {
        arguments.listeners = 20;
        (arguments.seconds, arguments.storm, arguments.sampled) = (1, 10, 4);
    }
    arguments.sampled = arguments.sampled.min(arguments.listeners / 2);
    let title = format!(
        "node, a real daemon: {} speakers, {} listeners, {} worker{}",
        arguments.setting.speakers,
        arguments.listeners,
        arguments.setting.workers,
        if arguments.setting.workers == 1 {
            ""
        } else {
            "s"
        }
    );
    let title = match arguments.egress {
        Path::Direct => title,
        Path::Reference => format!("{title}, on the reference path"),
    };
    let mut report = Report::open(&title, arguments.json.as_deref())?;
    allow_sockets(u64::from(arguments.listeners) + u64::from(arguments.storm))?;
    with_runtime(async {
        let daemon = Daemon::start(
            arguments.setting.stoad.as_deref(),
            arguments.setting.workers as usize,
            arguments.egress,
        )?;
        let measured = measure(&arguments, &daemon).await?;
        daemon.stop()?;
        print!("{}", measured.text());
        report.write(measured.json())?;
        Ok(())
    })
}

/// Each listener has a socket.
pub(crate) fn allow_sockets(sockets: u64) -> Result<(), NodeError> {
    let needed = sockets + OTHER_FILES;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if hard < needed {
        let allowed = hard;
        return Err(NodeError::Files { needed, allowed });
    }
    if soft < needed {
        setrlimit(Resource::RLIMIT_NOFILE, needed, hard)?;
    }
    Ok(())
}

async fn measure(plan: &Arguments, daemon: &Daemon) -> Result<Measured, BenchError> {
    let client = daemon.connect().await?;
    let empty = daemon.resident()?;
    let mut crowd = Crowd::open(client.clone(), plan.setting.speakers).await?;
    let began = Instant::now();
    crowd.fill(plan.listeners, plan.sampled).await?;
    let joining = began.elapsed();
    wait(plan.settling(), "settling").await;
    let full = daemon.resident()?;

    let before = Reading::take(daemon, &crowd)?;
    wait(plan.duration(), "silence").await;
    let silence = Window::between(before, Reading::take(daemon, &crowd)?);

    let spoken_before = crowd.counts()?;
    crowd.speak(true)?;
    wait(plan.settling(), "settling").await;
    // What was heard until here.
    drop(crowd.latencies());
    let before = Reading::take(daemon, &crowd)?;
    wait(plan.duration(), "talk").await;
    let talk = Window::between(before, Reading::take(daemon, &crowd)?);
    let latency = crowd.latencies();

    let before = Reading::take(daemon, &crowd)?;
    let storm_failures = crowd.storm(plan.storm).await?;
    let storm = Window::between(before, Reading::take(daemon, &crowd)?);
    let storm_latency = crowd.latencies();
    crowd.speak(false)?;
    wait(plan.settling(), "settling").await;
    let heard = crowd.counts()?.since(&spoken_before);

    let (kernel, crypto) = floors(plan, &crowd, heard.largest)?;
    crowd.end()?;
    client.close().await;
    check(plan, &heard, &latency)?;
    Ok(Measured {
        speakers: plan.setting.speakers,
        listeners: plan.listeners,
        workers: plan.setting.workers,
        egress: plan.egress,
        storm_joins: plan.storm,
        storm_failures,
        joining,
        resident: full.saturating_sub(empty),
        silence,
        talk,
        storm,
        latency,
        storm_latency,
        heard,
        kernel,
        crypto,
    })
}

/// Microseconds for each packet, for the kernel and the cipher. The peers are awake and read.
fn floors(plan: &Arguments, crowd: &Crowd, packet_bytes: usize) -> Result<(f64, f64), FloorError> {
    let destinations = crowd.counting();
    let rounds = plan.floor_rounds();
    let progress = progress::bar("floors", rounds.into());
    let kernel = floor::kernel::Plan {
        destinations: &destinations,
        datagram_bytes: packet_bytes,
        speakers: plan.setting.speakers,
        bursts: rounds,
    };
    let kernel = floor::kernel::measure(&kernel, || progress.inc(1))?;
    progress.finish_and_clear();
    let crypto = floor::crypto::measure(packet_bytes, plan.listeners as usize, rounds)?;
    Ok((kernel.median(), crypto.median()))
}

/// Whether what was heard is possible.
fn check(plan: &Arguments, heard: &crowd::Heard, latency: &Samples) -> Result<(), NodeError> {
    if heard.untold > 0 {
        return Err(NodeError::Untold(heard.untold));
    }
    if latency.count() == 0 {
        return Err(NodeError::Deaf);
    }
    let expected = heard.spoken * u64::from(plan.listeners);
    if heard.received > expected {
        return Err(NodeError::TooMany(expected, heard.received));
    }
    Ok(())
}

/// Waits, and shows how long.
pub(crate) async fn wait(time: Duration, what: &'static str) {
    let ticks = time.as_millis() / 100;
    let progress: ProgressBar = progress::bar(what, u64::try_from(ticks).unwrap_or_default());
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    tick.tick().await;
    for _ in 0..ticks {
        tick.tick().await;
        progress.inc(1);
    }
    progress.finish_and_clear();
}
