//! The results, as rows of a table in Markdown and for programs.

use serde_json::json;

use crate::{node::Window, report::Samples};

use super::{attack::Attack, calls::Called, target::Offered};

/// What stands above the rows.
pub(super) const HEADING: &str = "\
| attack | offered a second | daemon | memory | lost | p50 / p99 | answered | a call | a new caller | failed |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

/// What became of people while they were flooded, or were not.
pub(super) struct Row {
    pub(super) attack: Option<Attack>,
    pub(super) offered: Offered,
    pub(super) window: Window,
    pub(super) latency: Samples,
    pub(super) loss: f64,
    pub(super) called: Called,
    /// The daemon's memory at the end of it, in bytes.
    pub(super) resident: u64,
}

impl Row {
    pub(super) fn name(&self) -> &'static str {
        self.attack.map_or("nothing", Attack::name)
    }

    /// Its row of the table.
    pub(super) fn markdown(&self) -> String {
        let busy = match self.window.peers_were_busy() {
            true => " (the peers were the bottleneck)",
            false => "",
        };
        format!(
            "| {}{busy} | {:.0} | {:.2} | {:.1} MB | {} | {:.2} / {:.2} ms | {} B | {} | {} | {} |",
            self.name(),
            self.offered.count as f64 / self.window.time.as_secs_f64(),
            self.window.daemon_share(),
            self.resident as f64 / 1e6,
            match self.loss {
                0.0 => "0".to_owned(),
                loss => format!("{:.3} %", loss * 100.0),
            },
            self.latency.quantile(0.5),
            self.latency.quantile(0.99),
            self.offered.answered,
            milliseconds(&self.called.standing),
            milliseconds(&self.called.fresh),
            self.called.failed,
        )
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let times = |samples: &Samples| json!({"count": samples.count(), "p50": samples.quantile(0.5), "max": samples.max()});
        json!({
            "bench": "flood",
            "attack": self.name(),
            "offered": self.offered.count,
            "offered_bytes": self.offered.bytes,
            "answered_bytes": self.offered.answered,
            "seconds": self.window.time.as_secs_f64(),
            "daemon_processors": self.window.daemon_share(),
            "resident_bytes": self.resident,
            "loss": self.loss,
            "latency_ms": {"p50": self.latency.quantile(0.5), "p99": self.latency.quantile(0.99)},
            "call_ms": times(&self.called.standing),
            "new_caller_ms": times(&self.called.fresh),
            "calls_failed": self.called.failed,
            "peers_were_busy": self.window.peers_were_busy(),
        })
    }
}

/// The median and the longest.
fn milliseconds(samples: &Samples) -> String {
    match samples.count() {
        0 => "none".to_owned(),
        _ => format!("{:.1} / {:.0} ms", samples.quantile(0.5), samples.max()),
    }
}
