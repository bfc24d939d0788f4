//! Whether a node is worth keeping, and whether it takes anybody in.

use std::time::{Duration, Instant};

use stoa_net::WorkerStatus;

/// How long a media worker may say nothing of itself. It does so every second.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// What keeps the process from being worth keeping; a restart mends it. `workers` as they were `now`.
pub fn faults(workers: &[WorkerStatus], now: Instant) -> Vec<String> {
    let silent = |worker: &&WorkerStatus| {
        worker
            .published
            .is_some_and(|at| now.saturating_duration_since(at) >= STALLED_AFTER)
    };
    let stalled = workers.iter().filter(silent);
    stalled
        .map(|worker| {
            let seconds = STALLED_AFTER.as_secs();
            format!(
                "the media worker at port {} has stalled for more than {seconds} s",
                worker.port
            )
        })
        .collect()
}

/// What keeps it from taking in new rooms and participants.
pub(crate) fn obstacles(workers: &[WorkerStatus], now: Instant, is_draining: bool) -> Vec<String> {
    let mut obstacles = faults(workers, now);
    if is_draining {
        obstacles.push("the node is draining".to_owned());
    }
    let starting = workers.iter().filter(|worker| worker.published.is_none());
    obstacles.extend(
        starting.map(|worker| format!("the media worker at port {} has not begun", worker.port)),
    );
    obstacles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(published: Option<Instant>) -> WorkerStatus {
        WorkerStatus {
            port: 40_000,
            published,
            ..WorkerStatus::default()
        }
    }

    #[test]
    fn a_worker_that_says_nothing_has_stalled() {
        let begin = Instant::now();
        let workers = [worker(Some(begin))];
        let late = begin + STALLED_AFTER;
        assert!(faults(&workers, late - Duration::from_millis(1)).is_empty());
        assert_eq!(faults(&workers, late).len(), 1);
        assert_eq!(obstacles(&workers, late, false).len(), 1);
    }

    #[test]
    fn a_drained_node_lives_and_is_not_ready() {
        let now = Instant::now();
        let workers = [worker(Some(now))];
        assert!(faults(&workers, now).is_empty());
        assert_eq!(obstacles(&workers, now, true), ["the node is draining"]);
        assert!(obstacles(&workers, now, false).is_empty());
    }

    #[test]
    fn a_worker_that_has_not_begun_takes_nobody() {
        let now = Instant::now();
        assert!(faults(&[worker(None)], now).is_empty());
        assert_eq!(obstacles(&[worker(None)], now, false).len(), 1);
    }
}
