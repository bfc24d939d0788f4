//! What the server uses and says of itself, second by second.

use std::time::Duration;

use crate::{
    exposition::Exposed,
    machine::{self, Ticks},
    metrics::{ServerMetrics, busiest_percent},
    report::Second,
    server::{self, Usage},
    target::{Datagrams, Standing},
};

/// The sum over the time that is measured.
#[derive(Debug, Default)]
pub(crate) struct ServerSum {
    pub(crate) time: Duration,
    pub(crate) cpu: Option<Duration>,
    /// Percents of a core of its busiest media worker, and for how long those were known.
    pub(crate) busiest: Option<(f64, Duration)>,
    /// Where processor time and memory are from.
    pub(crate) measured_by: Option<&'static str>,
    /// In how many seconds its metrics were not to be had.
    pub(crate) metrics_missed: u64,
    pub(crate) memory: Option<u64>,
    /// Before anybody came.
    pub(crate) memory_before: Option<u64>,
    /// By its own word, where the caller may know.
    pub(crate) datagrams: Option<Datagrams>,
    /// What the tester received of it.
    pub(crate) heard: u64,
}

/// Looks at the server, and at this process and the machine beside it.
pub(super) struct Watch {
    pid: Option<u32>,
    metrics: Option<ServerMetrics>,
    usage: Option<Usage>,
    exposed: Option<Exposed>,
    /// How long ago those figures are.
    since_exposed: Duration,
    own: Option<Usage>,
    ticks: Option<Ticks>,
    datagrams: Option<Datagrams>,
}

impl Watch {
    pub(super) fn new(pid: Option<u32>, metrics: Option<ServerMetrics>) -> Self {
        Self {
            usage: pid.and_then(server::usage),
            own: server::usage(std::process::id()),
            ticks: machine::ticks(),
            pid,
            metrics,
            exposed: None,
            since_exposed: Duration::ZERO,
            datagrams: None,
        }
    }

    /// What its process has now.
    pub(super) fn memory(&self) -> Option<u64> {
        self.usage.map(|usage| usage.memory)
    }

    /// Whether it had a process on this machine, and has none any more.
    pub(super) fn has_ended(&self) -> bool {
        self.pid.is_some() && self.usage.is_none()
    }

    /// Its own figures, if it has some and says them in time.
    pub(super) async fn ask(&self) -> Option<Exposed> {
        self.metrics.as_ref()?.read().await
    }

    /// Takes down a second of it, in which the peers heard so many packets.
    pub(super) fn take_down(
        &mut self,
        second: &mut Second,
        passed: Duration,
        heard: u64,
        standing: Option<&Standing>,
        exposed: Option<Exposed>,
        sum: &mut ServerSum,
    ) {
        let is_missing = self.metrics.is_some() && exposed.is_none();
        self.since_exposed += passed;
        let before = self.exposed.as_ref();
        let busiest = exposed
            .as_ref()
            .zip(before)
            .and_then(|(now, before)| busiest_percent(now, before, self.since_exposed));
        let (cpu, memory) = self.used(second, passed, exposed.as_ref());
        let of_exposed = |figure: fn(&Exposed) -> Option<u64>| exposed.as_ref().and_then(figure);
        let descriptors = self.usage.and_then(|usage| usage.descriptors);
        second.server_descriptors = descriptors.or(of_exposed(|exposed| exposed.descriptors));
        second.server_timers = of_exposed(|exposed| exposed.timers);
        if let Some(exposed) = exposed {
            (self.exposed, self.since_exposed) = (Some(exposed), Duration::ZERO);
        }
        second.server_busiest_percent = busiest;
        second.server_cpu_percent = cpu.map(|cpu| 100.0 * cpu.as_secs_f64() / passed.as_secs_f64());
        second.server_memory_bytes = memory;
        let each = cpu.filter(|_| heard > 0);
        second.server_cpu_us_per_packet = each.map(|cpu| cpu.as_secs_f64() * 1e6 / heard as f64);
        let datagrams = standing.and_then(|standing| standing.datagrams.clone());
        let both = datagrams.as_ref().zip(self.datagrams.as_ref());
        second.server_sent = both.map(|(now, before)| now.sent.saturating_sub(before.sent));
        if second.measured {
            sum.time += passed;
            sum.heard += heard;
            sum.cpu = cpu.map(|cpu| sum.cpu.unwrap_or_default() + cpu).or(sum.cpu);
            sum.memory = memory.max(sum.memory);
            sum.metrics_missed += u64::from(is_missing);
            sum.measured_by = self.source();
            if let Some(percent) = busiest {
                let (percents, time) = sum.busiest.get_or_insert_default();
                *percents += percent * passed.as_secs_f64();
                *time += passed;
            }
            if let Some((now, before)) = both {
                add(sum.datagrams.get_or_insert_default(), now, before);
            }
        }
        // What is missed for a second is in the next one.
        self.datagrams = datagrams.or_else(|| self.datagrams.take());
    }

    fn source(&self) -> Option<&'static str> {
        match (self.pid, &self.metrics) {
            (Some(_), _) => Some("the system tells (/proc)"),
            (None, Some(_)) => Some("its own metrics tell"),
            (None, None) => None,
        }
    }

    /// Its processor time since the last second and its memory: by the system where its process is on this machine,
    /// and by its own word otherwise. And what others on this machine used.
    fn used(
        &mut self,
        second: &mut Second,
        passed: Duration,
        exposed: Option<&Exposed>,
    ) -> (Option<Duration>, Option<u64>) {
        let since = |now: Option<Usage>, before: Option<Usage>| {
            let both = now.zip(before);
            both.map(|(now, before)| now.cpu.saturating_sub(before.cpu))
        };
        let usage = self.pid.and_then(server::usage);
        let own = server::usage(std::process::id());
        let ticks = machine::ticks();
        let cpu = since(usage, self.usage);
        second.tester.memory_bytes = own.map(|own| own.memory);
        if let Some((now, before)) = ticks.zip(self.ticks)
            && let Some((cpu, own)) = cpu.zip(since(own, self.own))
        {
            let load = now.since(before, cpu + own, passed);
            second.tester.others_percent = Some(load.others_percent);
            second.tester.idle_percent = Some(load.idle_percent);
        }
        (self.usage, self.own, self.ticks) = (usage, own, ticks);
        if self.pid.is_some() {
            return (cpu, usage.map(|usage| usage.memory));
        }
        let seconds = |exposed: &Exposed| exposed.cpu_seconds;
        let now = exposed.and_then(seconds);
        let before = self.exposed.as_ref().and_then(seconds);
        let cpu = now.zip(before).map(|(now, before)| now - before);
        // A server that was started anew begins anew.
        let cpu = cpu.filter(|cpu| cpu.is_finite() && *cpu >= 0.0);
        (
            cpu.map(Duration::from_secs_f64),
            exposed.and_then(|exposed| exposed.memory),
        )
    }
}

fn add(sum: &mut Datagrams, now: &Datagrams, before: &Datagrams) {
    sum.sent += now.sent.saturating_sub(before.sent);
    sum.received += now.received.saturating_sub(before.received);
    for (reason, count) in &now.dropped {
        let before = before.dropped.get(reason).copied().unwrap_or(0);
        if *count > before {
            *sum.dropped.entry(reason.clone()).or_default() += count - before;
        }
    }
}
