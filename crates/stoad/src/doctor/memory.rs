//! Workers and memory against what the machine and the control group give.

use std::{fs, num::NonZeroUsize, thread};

use super::finding::Finding;
use crate::config::{Config, Memory};

/// What a participant takes (docs/performance.md), rounded up.
const EACH: u64 = 100 * 1_024;

pub(super) fn check(config: &Config, media: &stoa_net::Config) -> Vec<Finding> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut findings = vec![workers(media.workers, cores)];
    let seats = media.limits.participants.saturating_mul(media.workers);
    findings.extend(machine().map(|machine| memory(config.memory(), machine, seats as u64)));
    findings
}

/// The machine's memory in bytes.
fn machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1_024)
}

/// `cores` is what affinity and the control group's quota leave.
fn workers(workers: usize, cores: usize) -> Finding {
    let measured = format!("{workers} media workers, and this process may use {cores} cores");
    match workers <= cores {
        true => Finding::ok("workers", measured),
        false => Finding::warn("workers", measured, "workers wait for each other: packets come late, and that is heard first in large rooms")
            .mend(format!("media.workers: {cores}, or a larger CPUQuota= or cpu limit")),
    }
}

fn memory(memory: Memory, machine: u64, seats: u64) -> Finding {
    let mib = |bytes: u64| bytes >> 20;
    let given = memory.group.unwrap_or(u64::MAX).min(machine);
    let whose = if given == machine {
        "the machine has"
    } else {
        "the control group gives"
    };
    if let Some(configured) = memory.configured.filter(|&configured| configured > given) {
        let measured = format!(
            "capacity.memory_mib is {}, and {whose} {} MiB",
            mib(configured),
            mib(given)
        );
        let meaning = "the kernel ends the node, and every room on it, before it refuses anybody";
        return Finding::fail("memory", measured, meaning)
            .mend(format!("capacity.memory_mib: {}", mib(given / 10 * 9)));
    }
    let used = memory.configured.unwrap_or(given);
    let fit = used / EACH;
    let measured = format!(
        "{whose} {} MiB; {fit} participants fit into what the node may have, and the limits are for {seats}",
        mib(given)
    );
    match (memory.configured, memory.group) {
        // Nothing refuses for want of memory, so it must be enough for all.
        (None, None) if fit < seats => Finding::warn(
            "memory",
            measured,
            "the kernel may end the node, and every room on it, before it refuses anybody",
        )
        .mend(format!("capacity.memory_mib: {}", mib(machine / 10 * 9))),
        _ => Finding::ok("memory", measured),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    #[test]
    fn a_node_refuses_before_the_kernel_ends_it() {
        const GIB: u64 = 1 << 30;
        let level =
            |configured, group, seats| memory(Memory { configured, group }, 4 * GIB, seats).level;
        assert_eq!(level(None, None, 1_000), Level::Ok);
        assert_eq!(level(None, None, 100_000), Level::Warn);
        assert_eq!(level(Some(GIB), None, 100_000), Level::Ok);
        assert_eq!(level(None, Some(GIB), 100_000), Level::Ok);
        assert_eq!(level(Some(2 * GIB), Some(GIB), 1), Level::Fail);
        assert_eq!(level(Some(5 * GIB), None, 1), Level::Fail);
    }
}
