//! The table and the JSON object.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{hall::HallError, path::Path, report::Samples};

use super::{
    crowd::Heard,
    reading::{Window, processors},
};

/// From which share of its workers' processors on a daemon is taken to have had no time to spare.
const SATURATED: f64 = 0.95;

/// Loss from which on the figures are those of an overload.
const BEARABLE_LOSS: f64 = 0.001;

/// Everything that was measured.
pub(super) struct Measured {
    pub(super) speakers: u32,
    pub(super) listeners: u32,
    pub(super) workers: u32,
    pub(super) egress: Path,
    pub(super) storm_joins: u32,
    /// Why some of them did not come.
    pub(super) storm_failures: Vec<HallError>,
    /// How long it took until all listeners were connected.
    pub(super) joining: Duration,
    /// By how much the daemon's resident memory has grown meanwhile.
    pub(super) resident: u64,
    pub(super) silence: Window,
    pub(super) talk: Window,
    pub(super) storm: Window,
    /// Milliseconds.
    pub(super) latency: Samples,
    pub(super) storm_latency: Samples,
    /// All that was said and heard, talk and storm.
    pub(super) heard: Heard,
    /// Microseconds for each packet.
    pub(super) kernel: f64,
    /// The same.
    pub(super) crypto: f64,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and bytes are far below what a float takes exactly"
)]
impl Measured {
    fn cpu_per_packet(&self) -> f64 {
        let heard = &self.talk.heard;
        // What a listener's full socket dropped has left the daemon, too.
        let left = heard.received + heard.by_speakers + self.talk.dropped;
        self.talk.daemon.as_secs_f64() * 1e6 / left as f64
    }

    fn ratio(&self) -> f64 {
        self.cpu_per_packet() / (self.kernel + self.crypto)
    }

    fn loss(&self) -> f64 {
        let expected = self.heard.spoken * u64::from(self.listeners);
        1.0 - self.heard.received as f64 / expected as f64
    }

    fn resident_per_listener(&self) -> f64 {
        self.resident as f64 / f64::from(self.listeners)
    }

    fn idle(&self) -> f64 {
        let people = f64::from(self.listeners + self.speakers);
        self.silence.daemon.as_secs_f64() * 1e6 / self.silence.time.as_secs_f64() / people
    }

    fn joins_per_second(&self) -> f64 {
        f64::from(self.listeners) / self.joining.as_secs_f64()
    }

    fn storm_joins_per_second(&self) -> f64 {
        let failed = self.storm_failures.len() as f64;
        (f64::from(self.storm_joins) - failed) / self.storm.time.as_secs_f64()
    }

    /// What a reader has to know before trusting a figure.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(why) = self.storm_failures.last() {
            let failed = self.storm_failures.len();
            warnings.push(format!(
                "{failed} joins of the storm failed, the last one: {why}"
            ));
        }
        if self.loss() > BEARABLE_LOSS {
            warnings.push(
                "so much was lost that somebody had too little of a processor: no figure is good"
                    .to_owned(),
            );
        }
        for (what, window) in [("talk", &self.talk), ("the storm", &self.storm)] {
            if window.peers_were_busy() {
                warnings.push(format!(
                    "the peers were the bottleneck in {what}: {:.2} processors, {} datagrams dropped \
                     at their sockets",
                    window.peers_share(),
                    window.dropped
                ));
            }
            if window.daemon_share() > SATURATED * f64::from(self.workers) {
                warnings.push(format!(
                    "the daemon was saturated in {what}: {:.2} processors; latency and loss are those \
                     of a queue that grows",
                    window.daemon_share()
                ));
            }
            if window.busy > SATURATED * processors() {
                let others = window.busy - window.daemon_share() - window.peers_share();
                warnings.push(format!(
                    "the machine had no time to spare in {what}: {others:.2} processors were busy with \
                     neither the daemon nor the peers"
                ));
            }
        }
        warnings
    }

    pub(super) fn text(&self) -> String {
        let [p50, p99] = [0.5, 0.99].map(|share| self.latency.quantile(share));
        let (max, storm_p99) = (self.latency.max(), self.storm_latency.quantile(0.99));
        let row = |what: &str, value: String| format!("{what:<52} {value:>14}\n");
        let mut text = row(
            "daemon's processor time for each packet out, us",
            format!("{:.2}", self.cpu_per_packet()),
        );
        let bytes = self.heard.largest;
        text += &row(
            &format!("kernel floor, {bytes} bytes, us"),
            format!("{:.2}", self.kernel),
        );
        text += &row("crypto floor, us", format!("{:.2}", self.crypto));
        text += &row("ratio to both floors", format!("{:.2}", self.ratio()));
        text += &row("loss", format!("{:.6}", self.loss()));
        text += &row("latency added, p50, ms", format!("{p50:.2}"));
        text += &row("latency added, p99, ms", format!("{p99:.2}"));
        text += &row("latency added, max, ms", format!("{max:.2}"));
        text += &row("resident memory for each listener, KiB", {
            format!("{:.0}", self.resident_per_listener() / 1_024.0)
        });
        text += &row("silence: processor time for each, us a second", {
            format!("{:.1}", self.idle())
        });
        text += &row(
            "joins a second, in silence",
            format!("{:.0}", self.joins_per_second()),
        );
        let joins = self.storm_joins;
        text += &row(&format!("joins a second, {joins} during talk"), {
            format!("{:.0}", self.storm_joins_per_second())
        });
        text += &row(
            "latency added meanwhile, p99, ms",
            format!("{storm_p99:.2}"),
        );
        text += &row("processors in talk: daemon, peers, all", {
            processors_of(&self.talk)
        });
        text += &row("processors in the storm: daemon, peers, all", {
            processors_of(&self.storm)
        });
        for warning in self.warnings() {
            text += &format!("note: {warning}\n");
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let [p50, p99] = [0.5, 0.99].map(|share| self.latency.quantile(share));
        json!({
            "bench": "node",
            "speakers": self.speakers,
            "listeners": self.listeners,
            "workers": self.workers,
            "path": self.egress.name(),
            "cpu_us_per_packet": self.cpu_per_packet(),
            "kernel_floor_us": self.kernel,
            "crypto_floor_us": self.crypto,
            "ratio": self.ratio(),
            "loss": self.loss(),
            "latency_ms": {"p50": p50, "p99": p99, "max": self.latency.max()},
            "rss_bytes_per_listener": self.resident_per_listener(),
            "joins_per_s": self.joins_per_second(),
            "storm_joins": self.storm_joins,
            "storm_failed": self.storm_failures.len(),
            "storm_joins_per_s": self.storm_joins_per_second(),
            "storm_p99_ms": self.storm_latency.quantile(0.99),
            "idle_us_per_listener_s": self.idle(),
            "datagram_bytes": self.heard.largest,
            "packets": self.talk.heard.received,
            "daemon_processors": self.talk.daemon_share(),
            "busy_processors": self.talk.busy,
            "peers_processors": self.talk.peers_share(),
            "warnings": self.warnings(),
        })
    }
}

fn processors_of(window: &Window) -> String {
    let (daemon, peers, all) = (window.daemon_share(), window.peers_share(), window.busy);
    format!("{daemon:.2} {peers:.2} {all:.2}")
}
