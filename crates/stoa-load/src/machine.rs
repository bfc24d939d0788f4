//! On what a figure was measured.

use std::{fs, time::Duration};

use crate::report::Machine;

/// The machine, as far as the system tells.
pub(crate) fn describe(tester_threads: usize) -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let model = fields.find(|(name, _)| name.trim() == "model name");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Machine {
        processor: model
            .map_or("unknown", |(_, model)| model.trim())
            .to_owned(),
        cores: cores(),
        kernel: kernel.trim().to_owned(),
        tester_threads,
    }
}

/// What all processors together have done since the machine was started, in ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ticks {
    busy: u64,
    all: u64,
    processors: usize,
}

/// How a machine's processors were used between two moments, in percent of one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Load {
    /// By anything but those one knows of, the machine's host included, where that takes time away.
    pub(crate) others_percent: f64,
    /// By nothing.
    pub(crate) idle_percent: f64,
}

/// What they have done until now; `None` where the system does not tell.
pub(crate) fn ticks() -> Option<Ticks> {
    of_text(&fs::read_to_string("/proc/stat").ok()?)
}

/// What `/proc/stat` begins with, of all and of each: user, nice, system, idle, iowait, irq, softirq, steal.
fn of_text(text: &str) -> Option<Ticks> {
    let fields = text.strip_prefix("cpu ")?.lines().next()?;
    let fields = fields.split_whitespace().take(8);
    let fields: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    let [_, _, _, idle, iowait, ..] = fields[..] else {
        return None;
    };
    let all = fields.iter().sum();
    Some(Ticks {
        busy: all - idle - iowait,
        all,
        processors: text
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with("cpu"))
            .count(),
    })
}

impl Ticks {
    /// How the time since then was used, of which those one knows of used so much.
    pub(crate) fn since(self, before: Self, known: Duration, passed: Duration) -> Load {
        let all = self.all.saturating_sub(before.all).max(1) as f64;
        let busy = self.busy.saturating_sub(before.busy) as f64;
        let percent = 100.0 * self.processors as f64;
        let known = 100.0 * known.as_secs_f64() / passed.as_secs_f64();
        Load {
            others_percent: (percent * busy / all - known).max(0.0),
            idle_percent: percent * (1.0 - busy / all),
        }
    }
}

/// How many cores this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_use_is_what_is_left() {
        let before =
            of_text("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\ncpu1 1\nintr 1").expect("ticks");
        let now =
            of_text("cpu  150 0 150 740 110 0 20 30 0 0\ncpu0 1\ncpu1 1\nintr 1").expect("ticks");
        // 150 of 200 ticks were busy, on two cores, for a second; a third of that is known.
        let second = Duration::from_secs(1);
        let load = now.since(before, second / 2, second);
        assert_eq!((load.others_percent, load.idle_percent), (100.0, 50.0));
        assert_eq!(now.since(before, second * 3, second).others_percent, 0.0);
        assert!(ticks().is_some() && of_text("cpu0 1 2 3 4 5").is_none());
    }
}
