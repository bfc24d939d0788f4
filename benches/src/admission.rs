//! The bench "admission": a real daemon is filled until it refuses, and then asked again and again, while those
//! who are in listen. What they lose and what it does to their latency is measured.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::json;
use stoa_client::v1::{GetStatusRequest, Saturation};

use crate::{
    BenchError,
    daemon::Daemon,
    hall::HallError,
    node::{self, Crowd, Heard, NodeError, Reading, Window},
    path::Path,
    report::{Report, Samples},
    setting::Setting,
    with_runtime,
};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    setting: Setting,
    /// What the daemon may send; without it, its media workers' time is the limit.
    #[arg(long, value_name = "MBIT")]
    bandwidth: Option<u32>,
    /// From which share of a resource on listeners are refused.
    #[arg(long, default_value_t = 0.9, value_name = "RATIO")]
    hard_ratio: f64,
    /// How many come at a time, until the node refuses.
    #[arg(long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    step: u32,
    /// The most that come, if it never refuses.
    #[arg(long, default_value_t = 5_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=50_000))]
    most: u32,
    /// For how many seconds it is measured before the storm of joins that are refused.
    #[arg(long, default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// How many ask when the node is full.
    #[arg(long, default_value_t = 1_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=50_000))]
    storm: u32,
    /// A small run that only shows that the bench works.
    #[arg(long, conflicts_with_all = ["speakers", "workers", "bandwidth", "step", "most", "seconds", "storm"])]
    quick: bool,
    /// Also write the results to this file, as one line of JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdmissionError {
    #[error("{0} listeners came and none was refused: let more come, or lower a limit")]
    NeverFull(u32),
    #[error("the daemon does not tell how full it is: {0}")]
    Untold(String),
    #[error("the daemon took {0} of those who asked when it had refused others")]
    Taken(u32),
    #[error("those who were in lost {lost} of {expected} packets while others were refused")]
    Lost { lost: u64, expected: u64 },
}

/// What was measured.
struct Measured {
    listeners: u32,
    full: Saturation,
    before: Window,
    during: Window,
    latency_before: Samples,
    latency_during: Samples,
    refused: u32,
    heard: Heard,
}

/// Runs the bench.
///
/// # Errors
/// [`BenchError`] if the node never refuses, takes more than it said, or if those who were in lost more than a
/// thousandth.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), BenchError> {
    if arguments.quick {
        (arguments.bandwidth, arguments.step, arguments.most) = (Some(4), 8, 100);
        (arguments.seconds, arguments.storm) = (1, 20);
    }
    let title = format!(
        "admission, a real daemon: {} speakers, {} worker(s), hard limit {}{}",
        arguments.setting.speakers,
        arguments.setting.workers,
        arguments.hard_ratio,
        arguments
            .bandwidth
            .map_or_else(String::new, |mbit| format!(" of {mbit} Mbit/s")),
    );
    let mut report = Report::open(&title, arguments.json.as_deref())?;
    node::allow_sockets(u64::from(arguments.most) + u64::from(arguments.storm))?;
    let soft = arguments.hard_ratio.min(0.7);
    let mut capacity = format!(
        "  soft_ratio: {soft}\n  hard_ratio: {}\n",
        arguments.hard_ratio
    );
    if let Some(mbit) = arguments.bandwidth {
        capacity += &format!("  bandwidth_mbit_per_second: {mbit}\n");
    }
    with_runtime(async {
        let workers = arguments.setting.workers as usize;
        let program = arguments.setting.stoad.as_deref();
        let daemon = Daemon::start_limited(program, workers, Path::Direct, &capacity)?;
        let measured = measure(&arguments, &daemon).await?;
        daemon.stop()?;
        print!("{}", measured.text());
        report.write(measured.json())?;
        measured.check()?;
        Ok(())
    })
}

async fn measure(plan: &Arguments, daemon: &Daemon) -> Result<Measured, BenchError> {
    let client = daemon.connect().await?;
    let mut crowd = Crowd::open(client.clone(), plan.setting.speakers).await?;
    crowd.speak(true)?;
    let listeners = fill(plan, &mut crowd).await?;
    crowd.speak(false)?;
    node::wait(Duration::from_secs(1), "settling").await;
    let spoken_before = crowd.counts()?;
    crowd.speak(true)?;
    node::wait(Duration::from_secs(1), "settling").await;
    drop(crowd.latencies());
    let reading = Reading::take(daemon, &crowd)?;
    node::wait(Duration::from_secs(plan.seconds.into()), "full").await;
    let before = Window::between(reading, Reading::take(daemon, &crowd)?);
    let latency_before = crowd.latencies();

    let status = client.node().get_status(GetStatusRequest {}).await;
    let status = status.map_err(|status| AdmissionError::Untold(status.to_string()))?;
    let full = status.into_inner().saturation.unwrap_or_default();
    let reading = Reading::take(daemon, &crowd)?;
    let refusals = crowd.storm(plan.storm).await?;
    let during = Window::between(reading, Reading::take(daemon, &crowd)?);
    let latency_during = crowd.latencies();
    crowd.speak(false)?;
    node::wait(Duration::from_secs(1), "settling").await;
    let heard = crowd.counts()?.since(&spoken_before);
    crowd.end()?;
    client.close().await;
    let refused = refusals
        .iter()
        .filter(|error| matches!(error, HallError::Saturated));
    let refused = u32::try_from(refused.count()).unwrap_or(u32::MAX);
    let failed = refusals
        .into_iter()
        .find(|error| !matches!(error, HallError::Saturated));
    if let Some(error) = failed {
        return Err(error.into());
    }
    if refused < plan.storm {
        return Err(AdmissionError::Taken(plan.storm - refused).into());
    }
    Ok(Measured {
        listeners,
        full,
        before,
        during,
        latency_before,
        latency_during,
        refused,
        heard,
    })
}

/// Lets listeners in until the node refuses, also when it has had the time to look again.
async fn fill(plan: &Arguments, crowd: &mut Crowd) -> Result<u32, BenchError> {
    let every = if plan.quick { 4 } else { 64 };
    let (mut came, mut last) = (0, None::<Instant>);
    while came < plan.most {
        let step = plan.step.min(plan.most - came);
        let (more, was_refused) = crowd.fill_up(step, every).await?;
        came += more;
        // It measures once a second, and is slow to believe that more fit.
        node::wait(Duration::from_millis(1_500), "filling").await;
        if !was_refused || more > 0 {
            last = None;
        } else if last.is_some_and(|last| last.elapsed() > Duration::from_secs(3)) {
            return Ok(came);
        } else {
            last.get_or_insert_with(Instant::now);
        }
    }
    Err(AdmissionError::NeverFull(came).into())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below what a float takes exactly"
)]
impl Measured {
    fn expected(&self) -> u64 {
        self.heard.spoken * u64::from(self.listeners)
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.heard.received)
    }

    fn loss(&self) -> f64 {
        self.lost() as f64 / self.expected().max(1) as f64
    }

    fn text(&self) -> String {
        let latency = |samples: &Samples| {
            let at = |share| samples.quantile(share);
            format!("{:.1} / {:.1} / {:.1} ms", at(0.5), at(0.99), at(1.0))
        };
        let share = |window: &Window| format!("{:.2}", window.daemon_share());
        let busy = |window: &Window| match window.peers_were_busy() {
            true => "  (the peers were the bottleneck)",
            false => "",
        };
        format!(
            "listeners when it refused            {}\n\
             refused for want of                  {} (at {:.2})\n\
             daemon's processors, full / storm    {} / {}{}\n\
             joins refused in the storm           {} in {:.1} s\n\
             loss of those who are in             {:.4} % ({} packets)\n\
             latency p50 / p99 / max, full        {}\n\
             latency p50 / p99 / max, storm       {}\n",
            self.listeners,
            self.full.limiting_resource,
            self.full.saturation_ratio,
            share(&self.before),
            share(&self.during),
            busy(&self.before),
            self.refused,
            self.during.time.as_secs_f64(),
            self.loss() * 100.0,
            self.lost(),
            latency(&self.latency_before),
            latency(&self.latency_during),
        )
    }

    fn json(&self) -> serde_json::Value {
        let latency = |samples: &Samples| json!({"p50": samples.quantile(0.5), "p99": samples.quantile(0.99)});
        json!({
            "bench": "admission",
            "listeners": self.listeners,
            "resource": self.full.limiting_resource,
            "saturation": self.full.saturation_ratio,
            "daemon_processors": self.before.daemon_share(),
            "refused": self.refused,
            "loss": self.loss(),
            "peers_were_busy": self.before.peers_were_busy() || self.during.peers_were_busy(),
            "latency_ms": latency(&self.latency_before),
            "latency_ms_in_the_storm": latency(&self.latency_during),
        })
    }

    /// Whether those who are in were left in peace.
    fn check(&self) -> Result<(), BenchError> {
        if self.latency_before.count() == 0 {
            return Err(NodeError::Deaf.into());
        }
        if self.loss() > 0.001 {
            let (lost, expected) = (self.lost(), self.expected());
            return Err(AdmissionError::Lost { lost, expected }.into());
        }
        Ok(())
    }
}
