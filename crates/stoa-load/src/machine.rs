//! On what a figure was measured.

use std::fs;

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

/// How many cores this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
