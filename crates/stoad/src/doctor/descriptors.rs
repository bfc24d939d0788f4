//! How many descriptors the process may have, against how many it may come to want.

use std::fs;

use stoa_net::{Config, MAX_TCP_CONNECTIONS};

use super::finding::Finding;

const CHECK: &str = "descriptors";

/// Files, timers, pipes and the standard streams of the whole process.
const OTHERS: u64 = 128;

/// What goes to a worker and its lobby.
const EACH_WORKER: u64 = 8;

/// `running` is the process of a node, whose limit it is then; else it is the one that a node would inherit from here.
pub(super) fn check(media: &Config, running: Option<u32>) -> Vec<Finding> {
    let (file, whose) = match running {
        Some(id) => (
            format!("/proc/{id}/limits"),
            format!("stoad (process {id})"),
        ),
        None => (
            "/proc/self/limits".to_owned(),
            "a process started from here".to_owned(),
        ),
    };
    let limit = fs::read_to_string(file).ok().and_then(|text| limit(&text));
    limit
        .map(|limit| vec![judge(limit, &whose, media)])
        .unwrap_or_default()
}

/// The soft limit in a file such as `/proc/self/limits`.
fn limit(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn judge(limit: u64, whose: &str, media: &Config) -> Finding {
    let callers = stoa_control::TransportLimits::default().connections as u64;
    let least = callers + OTHERS + EACH_WORKER * media.workers as u64;
    // The thread for TCP takes half of them at the most, and leaves the other half to everything else.
    let by_tcp = if media.tcp {
        MAX_TCP_CONNECTIONS as u64
    } else {
        0
    };
    let wanted = least.max(2 * by_tcp);
    let measured =
        format!("{whose} may have {limit}; all callers and clients by TCP need {wanted}");
    let finding = match limit {
        limit if limit >= wanted => return Finding::ok(CHECK, measured),
        limit if limit >= least => {
            let people = limit / 2;
            let meaning =
                format!("no more than {people} people can come by TCP, where UDP is blocked");
            Finding::warn(CHECK, measured, &meaning)
        }
        _ => Finding::fail(
            CHECK,
            measured,
            "calls and clients by TCP are refused while the node has room for them",
        ),
    };
    finding.mend(format!("LimitNOFILE={wanted} in the unit (deploy/systemd/stoad.service); in a shell: ulimit -n {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             1                    2                    processes \n\
                    Max open files            1024                 524288               files     \n";
        assert_eq!(limit(text), Some(1_024));
        assert_eq!(
            limit("Max open files            unlimited  unlimited  files"),
            Some(u64::MAX)
        );
        assert_eq!(limit("Max processes 1 2 processes"), None);
    }
}
