//! What is measured of the node, once a second, for the model of its capacity.

use std::{fs, time::Duration};

use stoa_control::{ControlHandle, Depth, Figures, Level, WorkerFigures};
use stoa_net::{Media, QueueDepth, WorkerStatus};
use tokio::time::{Instant, MissedTickBehavior};

/// As often as media workers publish their figures.
const PERIOD: Duration = Duration::from_secs(1);

/// Measures once. What it returns measures again and again, for as long as it is run.
pub(crate) fn start(media: Media, control: ControlHandle) -> impl Future<Output = ()> {
    measure(&media, &control);
    async move {
        let mut turn = tokio::time::interval(PERIOD);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turn.tick().await;
            measure(&media, &control);
        }
    }
}

fn measure(media: &Media, control: &ControlHandle) {
    let at = Instant::now().into_std();
    let figures = Figures {
        at,
        workers: media
            .status()
            .iter()
            .map(|worker| of_worker(worker, at))
            .collect(),
        lobbies: media.lobby_depths().into_iter().map(depth).collect(),
        memory: resident(),
    };
    let report = control.measure(&figures);
    media.shun(
        report
            .workers
            .iter()
            .map(|worker| worker.level >= Level::Hard),
    );
}

fn of_worker(status: &WorkerStatus, now: std::time::Instant) -> WorkerFigures {
    WorkerFigures {
        // One that has not begun has no figures yet.
        at: status.published.unwrap_or(now),
        seats: status.seats,
        busy: status.busy,
        datagrams_sent: status.datagrams_sent,
        bytes_sent: status.bytes_sent,
        datagrams_unsent: status.datagrams_unsent,
        send_queue: Depth {
            waiting: status.send_queue,
            capacity: status.send_queue_capacity,
        },
    }
}

fn depth(QueueDepth { waiting, capacity }: QueueDepth) -> Depth {
    Depth { waiting, capacity }
}

/// The process's resident memory in bytes, where the kernel tells.
fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_what_this_process_has() {
        assert!(resident().expect("Linux") > 1 << 20);
    }
}
