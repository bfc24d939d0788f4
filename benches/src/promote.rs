//! The bench "promote": from the call that lets somebody speak until they are heard, over a real daemon;
//! and that nobody hears them after the answer to the call that takes it back.

use std::{
    path::PathBuf,
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant, SystemTime},
};

use serde_json::json;
use stoa_client::v1::Role;

use crate::{
    BenchError,
    daemon::Daemon,
    hall::Hall,
    path::Path,
    peer::{Attention, Heard},
    progress,
    report::{Report, Samples},
    swarm::{FRAME, Swarm, Voices},
    with_runtime,
};

/// Who is promoted.
const WHO: &str = "somebody";

/// Slots of the room, and audio lines of everybody in it.
const SLOTS: usize = 3;

/// How long a promoted speaker may stay unheard before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long is listened after a demotion: five packets would have come.
const LISTENED: Duration = Duration::from_millis(100);

/// By how much a packet may come after the answer and still have left before it: on loopback a datagram
/// arrives while it is sent, but the kernel may put off the rest of the work.
const NETWORK_LATENCY: Duration = Duration::from_millis(2);

/// Below which the 99th of 100 promotions is to be heard.
const TARGET: Duration = Duration::from_millis(100);

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many promotions, each followed by a demotion.
    #[arg(long, default_value_t = 200, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    promotions: u32,
    /// How many listen. A promotion counts as heard when the last of them has the first packet.
    #[arg(long, default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    listeners: u16,
    /// The daemon's program; without it, the `stoad` beside this one.
    #[arg(long, value_name = "FILE")]
    stoad: Option<PathBuf>,
    /// A small run that only shows that the bench works.
    #[arg(long, conflicts_with_all = ["promotions", "listeners"])]
    quick: bool,
    /// Also write the results to this file, as one line of JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What makes the result worthless, or is a fault of the daemon.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("a promoted speaker was not heard by everybody within {PATIENCE:?}")]
    NotHeard,
    #[error("a packet of an unknown speaker was heard: {0:?}")]
    Stranger(Option<u32>),
    #[error("{0} packets were heard and not looked at")]
    Untold(u64),
    #[error(
        "{0} packets left after the answer that took the right to speak away, the last one {1:?} \
         after it"
    )]
    HeardAfterwards(usize, Duration),
}

/// Runs the bench.
///
/// # Errors
/// [`BenchError`] if the daemon cannot be started or refuses something, if somebody promoted is not
/// heard, or if somebody demoted still is.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), BenchError> {
    if arguments.quick {
        arguments.promotions = 5;
    }
    let title = "promote, over a real daemon, milliseconds";
    let mut report = Report::open(title, arguments.json.as_deref())?;
    with_runtime(async {
        let daemon = Daemon::start(arguments.stoad.as_deref(), 1, Path::Direct)?;
        let measured = measure(&arguments, &daemon).await?;
        daemon.stop()?;
        print!("{}", measured.text());
        report.write(measured.json(&arguments))?;
        match measured.leaked() {
            0 => Ok(()),
            leaked => Err(Fault::HeardAfterwards(leaked, measured.latest()).into()),
        }
    })
}

/// The figures.
#[derive(Debug, Default)]
struct Measured {
    /// From the call until the last listener has the first packet, for each promotion.
    heard: Vec<Duration>,
    /// From the call until its answer, for promotions and demotions.
    answered: Vec<Duration>,
    /// By how much packets came after the answer to a demotion.
    late: Vec<Duration>,
}

impl Measured {
    /// Packets that were late by more than a network explains.
    fn leaked(&self) -> usize {
        let late = self.late.iter();
        late.filter(|&&late| late > NETWORK_LATENCY).count()
    }

    fn latest(&self) -> Duration {
        self.late.iter().max().copied().unwrap_or_default()
    }

    fn text(&self) -> String {
        let row = |what: &str, samples: &Samples| {
            let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| samples.quantile(share));
            let max = samples.max();
            format!("{what:<40} {p50:>7.2} {p90:>7.2} {p99:>7.2} {max:>7.2}\n")
        };
        let heard = milliseconds(&self.heard);
        let verdict = if heard.quantile(0.99) < TARGET.as_secs_f64() * 1e3 {
            "reached"
        } else {
            "missed"
        };
        let header = format!(
            "{:<40} {:>7} {:>7} {:>7} {:>7}\n",
            "", "p50", "p90", "p99", "max"
        );
        header
            + &row("SetRole called to first packet heard", &heard)
            + &row("SetRole called to answered", &milliseconds(&self.answered))
            + &format!(
                "\n{} promotions; p99 below {TARGET:?}: {verdict}\n\
                 packets after the answer to a demotion: {}, of which later than {NETWORK_LATENCY:?}: \
                 {}\n",
                self.heard.len(),
                self.late.len(),
                self.leaked(),
            )
    }

    fn json(&self, plan: &Arguments) -> serde_json::Value {
        let quantiles = |durations: &[Duration]| {
            let samples = milliseconds(durations);
            let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| samples.quantile(share));
            json!({"p50": p50, "p90": p90, "p99": p99, "max": samples.max()})
        };
        json!({
            "bench": "promote",
            "promotions": self.heard.len(),
            "listeners": plan.listeners,
            "heard_ms": quantiles(&self.heard),
            "answered_ms": quantiles(&self.answered),
            "packets_after_demotion": self.late.len(),
            "packets_leaked": self.leaked(),
        })
    }
}

fn milliseconds(durations: &[Duration]) -> Samples {
    let milliseconds = durations.iter().map(|time| time.as_secs_f64() * 1e3);
    Samples::new(milliseconds.collect())
}

async fn measure(plan: &Arguments, daemon: &Daemon) -> Result<Measured, BenchError> {
    let client = daemon.connect().await?;
    let hall = Hall::open(client.clone(), "promote", SLOTS).await?;
    let (swarm, voices) = Swarm::start("peers")?;
    let somebody = hall
        .admit(&swarm, WHO, Role::Listener, Attention::Count)
        .await?;
    let csrc = somebody.csrc;
    somebody.connected(&swarm).await?;
    // Alone in the swarm so far, so only they speak; and they do so all the time, as a browser does.
    swarm.speak(true)?;
    for number in 0..plan.listeners {
        let name = format!("listener-{number}");
        let listener = hall
            .admit(&swarm, &name, Role::Listener, Attention::Listen)
            .await?;
        listener.connected(&swarm).await?;
    }

    let ears = Ears {
        swarm: &swarm,
        voices,
        csrc,
    };
    let mut measured = Measured::default();
    let progress = progress::bar("promoting", plan.promotions.into());
    for round in 0..plan.promotions {
        // Each call at another moment of the speaker's 20 ms.
        // bounded: less than a frame
        tokio::time::sleep(Duration::from_millis(u64::from(round) * 7 % 20)).await;
        let (called, answered) = hall.set_role(WHO, Role::Speaker).await?;
        let heard = ears.first(usize::from(plan.listeners))?;
        measured.heard.push(since(called, heard));
        measured.answered.push(since(called, answered));

        // bounded: a few frames
        tokio::time::sleep(Duration::from_millis(40 + u64::from(round) * 11 % 20)).await;
        let (called, answered) = hall.set_role(WHO, Role::Listener).await?;
        measured.answered.push(since(called, answered));
        measured.late.extend(ears.after(answered)?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let untold = swarm.counts()?.untold;
    swarm.end()?;
    client.close().await;
    if untold > 0 {
        return Err(Fault::Untold(untold).into());
    }
    Ok(measured)
}

/// What the listeners hear.
struct Ears<'a> {
    swarm: &'a Swarm,
    voices: Voices,
    /// Of whom alone they are to hear.
    csrc: u32,
}

impl Ears<'_> {
    /// The next packet, and which listener heard it; nothing if none comes until then.
    fn next(&self, until: Instant) -> Result<Option<(usize, Heard)>, BenchError> {
        let wait = until.saturating_duration_since(Instant::now());
        match self.voices.recv_timeout(wait) {
            Ok((_, heard)) if heard.voice.csrc != Some(self.csrc) => {
                Err(Fault::Stranger(heard.voice.csrc).into())
            }
            Ok(heard) => Ok(Some(heard)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(self.swarm.ended().into()),
        }
    }

    /// When the last of so many listeners heard the first packet.
    fn first(&self, listeners: usize) -> Result<SystemTime, BenchError> {
        let until = Instant::now() + PATIENCE;
        let mut first = vec![None; listeners];
        loop {
            let (number, heard) = self.next(until)?.ok_or(Fault::NotHeard)?;
            // The speaker is number 0 of the swarm.
            if let Some(place) = first.get_mut(number.wrapping_sub(1)) {
                place.get_or_insert(heard.arrived);
            }
            if let Some(last) = first.iter().copied().collect::<Option<Vec<_>>>() {
                return Ok(last.into_iter().max().unwrap_or(heard.arrived));
            }
        }
    }

    /// By how much packets came after this moment, for a few packets' time.
    fn after(&self, moment: SystemTime) -> Result<Vec<Duration>, BenchError> {
        const { assert!(LISTENED.as_millis() >= 5 * FRAME.as_millis()) };
        let until = Instant::now() + LISTENED;
        let mut late = Vec::new();
        while let Some((_, heard)) = self.next(until)? {
            if heard.arrived > moment {
                late.push(since(moment, heard.arrived));
            }
        }
        Ok(late)
    }
}

fn since(earlier: SystemTime, later: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default()
}
