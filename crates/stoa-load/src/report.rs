//! What a run has shown, as it is written to a file: the whole of it, so that any picture can be made again.

pub(crate) mod chart;
mod course;
pub(crate) mod html;
pub(crate) mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{histogram::Percentiles, tally::Tally};

/// The form of the file. Another number, another form.
pub(crate) const FORMAT: u32 = 1;

/// A whole run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    pub(crate) format: u32,
    pub(crate) scenario: String,
    /// The scenario's text, as it was played.
    pub(crate) scenario_yaml: String,
    /// What was changed of it on the command line.
    pub(crate) changes: Vec<String>,
    pub(crate) seed: u64,
    /// Of how many peers one was looked at closely.
    pub(crate) verify_one_of: u32,
    pub(crate) target: String,
    pub(crate) tester_version: String,
    pub(crate) server_version: String,
    pub(crate) machine: Machine,
    /// When it began, in seconds since 1970.
    pub(crate) started: u64,
    /// How many seconds were measured.
    pub(crate) measured_seconds: u64,
    /// Whether it was played to its end.
    pub(crate) complete: bool,
    /// Why not.
    pub(crate) partial_because: Option<String>,
    /// Whether the figures are the server's, and not the tester's own.
    pub(crate) valid: bool,
    /// Why not.
    pub(crate) invalid_because: Vec<String>,
    /// What was worse than the scenario's limits.
    pub(crate) limits_broken: Vec<String>,
    pub(crate) joins: Joins,
    pub(crate) groups: Vec<Group>,
    pub(crate) server: Option<Server>,
    pub(crate) ramp: Option<Ramp>,
    pub(crate) moderation: Option<Moderation>,
    /// The machines that had the peers, where that was not this one.
    pub(crate) agents: Vec<Agent>,
    /// How far off a latency may be between peers of two agents, by what is known of their clocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_within_ms: Option<f64>,
    /// All seconds, the measured ones and those before.
    pub(crate) seconds: Vec<Second>,
}

/// On what it ran.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) tester_threads: usize,
}

/// A machine that had peers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Agent {
    /// As it was named on the command line.
    pub(crate) address: String,
    pub(crate) machine: Machine,
    /// At the end, and how many of 100 that is of all.
    pub(crate) peers: u64,
    pub(crate) share_percent: f64,
    /// How far its clock was ahead of that of the process that played, at the end.
    pub(crate) clock_ahead_ms: f64,
    /// How far off that may have been, at the worst time.
    pub(crate) clock_within_ms: f64,
    /// Whether it was not the bottleneck, and there to the end.
    pub(crate) valid: bool,
    /// Why not.
    pub(crate) invalid_because: Vec<String>,
}

/// How people came in, in the whole run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Joins {
    pub(crate) asked: u64,
    pub(crate) connected: u64,
    /// By the server, and its reasons.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Let in, and not connected.
    pub(crate) failed: BTreeMap<String, u64>,
    /// From the offer to ICE and DTLS being done.
    pub(crate) connect_ms: Option<Percentiles>,
    /// From the offer to the first audio.
    pub(crate) first_audio_ms: Option<Percentiles>,
}

/// What those of a group heard while it was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Whether their network was bad on purpose.
    pub(crate) impaired: bool,
    pub(crate) peers: u64,
    pub(crate) expected: u64,
    pub(crate) received: u64,
    pub(crate) lost: i64,
    pub(crate) loss_percent: f64,
    pub(crate) late: u64,
    pub(crate) duplicate: u64,
    pub(crate) reordered: u64,
    pub(crate) gap_ms_per_minute: f64,
    pub(crate) slot_changes_per_minute: f64,
    pub(crate) bytes: u64,
    pub(crate) spoken: u64,
    pub(crate) checked: u64,
    pub(crate) corrupt: u64,
    pub(crate) own_voice: u64,
    pub(crate) wrong_voice: u64,
    pub(crate) forbidden: u64,
    pub(crate) latency_ms: Option<Percentiles>,
    pub(crate) onset_ms: Option<Percentiles>,
    /// Sessions that ended unasked, and why.
    pub(crate) failed: BTreeMap<String, u64>,
}

impl Group {
    pub(crate) fn of(name: &str, impaired: bool, tally: &Tally) -> Self {
        let minutes = tally.listened.as_secs_f64() / 60.0;
        Self {
            name: name.to_owned(),
            impaired,
            peers: tally.connected,
            expected: tally.expected,
            received: tally.received,
            lost: tally.lost(),
            loss_percent: tally.loss_percent(),
            late: tally.late,
            duplicate: tally.duplicate,
            reordered: tally.reordered,
            gap_ms_per_minute: tally.gap_ms_per_minute(),
            slot_changes_per_minute: match minutes > 0.0 {
                true => tally.slot_changes as f64 / minutes,
                false => 0.0,
            },
            bytes: tally.bytes,
            spoken: tally.spoken,
            checked: tally.checked,
            corrupt: tally.corrupt,
            own_voice: tally.own_voice,
            wrong_voice: tally.wrong_voice,
            forbidden: tally.forbidden,
            latency_ms: tally.latency.percentiles(),
            onset_ms: tally.onset.percentiles(),
            failed: tally.failed.clone(),
        }
    }
}

/// What the server used and said while it was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Server {
    /// Of one core, on average; where the process is known.
    pub(crate) cpu_percent: Option<f64>,
    /// For each packet that the peers received.
    pub(crate) cpu_us_per_packet: Option<f64>,
    /// Of one core, on average, of whichever media worker was the busiest in each second; by its own word.
    pub(crate) busiest_percent: Option<f64>,
    /// Where processor time and memory are from: the system, or its own metrics.
    pub(crate) measured_by: Option<String>,
    /// In how many seconds its metrics were not to be had.
    pub(crate) metrics_missed: u64,
    pub(crate) memory_bytes: Option<u64>,
    /// Before anybody came.
    pub(crate) memory_before_bytes: Option<u64>,
    /// Datagrams, by its own word, where the caller may know.
    pub(crate) sent: Option<u64>,
    pub(crate) received: Option<u64>,
    /// Datagrams that it dropped, by reason.
    pub(crate) dropped: BTreeMap<String, u64>,
}

/// One second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Second {
    /// Since the beginning of the run.
    pub(crate) at: f64,
    pub(crate) measured: bool,
    pub(crate) peers: u64,
    /// Of those whose network is not bad on purpose.
    pub(crate) received: u64,
    pub(crate) loss_percent: f64,
    pub(crate) late: u64,
    pub(crate) gap_ms_per_minute: f64,
    pub(crate) latency_p50_ms: Option<f64>,
    pub(crate) latency_p95_ms: Option<f64>,
    pub(crate) latency_p99_ms: Option<f64>,
    pub(crate) joined: u64,
    pub(crate) refused: u64,
    pub(crate) server_cpu_percent: Option<f64>,
    pub(crate) server_cpu_us_per_packet: Option<f64>,
    /// Of one core, of its busiest media worker.
    pub(crate) server_busiest_percent: Option<f64>,
    pub(crate) server_memory_bytes: Option<u64>,
    /// Open descriptors of its process.
    pub(crate) server_descriptors: Option<u64>,
    /// What its media workers have to do at some time, by its own word.
    pub(crate) server_timers: Option<u64>,
    pub(crate) server_sent: Option<u64>,
    pub(crate) tester: Tester,
    /// The same of each agent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) agents: BTreeMap<String, AgentSecond>,
}

/// How one agent did in a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AgentSecond {
    pub(crate) peers: u64,
    pub(crate) tester: Tester,
}

/// How the tester itself did in a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Tester {
    /// How late it did what it had to do.
    pub(crate) lag_p99_ms: f64,
    /// Of one core, of its busiest thread.
    pub(crate) busiest_percent: f64,
    /// Of one core, of all of them.
    pub(crate) cpu_percent: f64,
    /// Datagrams that the kernel dropped because it did not read in time.
    pub(crate) dropped: u64,
    /// Datagrams that it could not send.
    pub(crate) unsent: u64,
    /// Of one core, what programs used that are neither the tester nor the server; where the server is on
    /// this machine.
    pub(crate) others_percent: Option<f64>,
    /// Its resident memory; where peers are of this process.
    pub(crate) memory_bytes: Option<u64>,
    /// Of one core, what nobody used.
    pub(crate) idle_percent: Option<f64>,
}

/// More and more came.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ramp {
    pub(crate) steps: Vec<Step>,
    /// At how many of them all was still good.
    pub(crate) knee: Option<u64>,
    /// What broke after that.
    pub(crate) broke: Option<String>,
}

/// One step of a ramp.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    pub(crate) peers: u64,
    pub(crate) loss_percent: f64,
    pub(crate) gap_ms_per_minute: f64,
    pub(crate) latency_ms: Option<Percentiles>,
    pub(crate) server_cpu_percent: Option<f64>,
    pub(crate) server_memory_bytes: Option<u64>,
    pub(crate) broken: Vec<String>,
}

/// Some came to the stage and went back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Moderation {
    pub(crate) promoted: u64,
    /// Promoted, and not heard in time.
    pub(crate) unheard: u64,
    /// From the call to the first packet at a listener.
    pub(crate) audible_ms: Option<Percentiles>,
}

/// What is not as the limits say.
pub(crate) fn broken(limits: &crate::scenario::Limits, tally: &Tally) -> Vec<String> {
    let mut broken = Vec::new();
    let mut compare = |what: &str, value: f64, limit: f64, unit: &str| {
        if value > limit {
            broken.push(format!(
                "{what} is {value:.2} {unit}, more than {limit} {unit}"
            ));
        }
    };
    compare("loss", tally.loss_percent(), limits.loss_percent, "%");
    let gap = tally.gap_ms_per_minute();
    compare(
        "missing audio",
        gap,
        limits.gap_ms_per_minute,
        "ms a minute",
    );
    let p99 = tally.latency.percentile(0.99);
    compare(
        "the 99th percentile of latency",
        p99,
        limits.latency_p99_ms,
        "ms",
    );
    broken
}
