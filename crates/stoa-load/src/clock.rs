//! The clock of a run, which is that of the process that plays it. Where peers are at another machine, it
//! differs from that machine's, and the process tells by how much (`agents/clock.rs`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// The run's clock, as it is read at this machine; clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    /// How far this machine's clock is taken to be ahead of what the system says, in nanoseconds: none, but in
    /// tests of what follows.
    shift: i64,
    /// How far this machine's clock is ahead of the run's, in nanoseconds.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The clock at a machine whose own is taken to be ahead of the system's.
    pub(crate) fn shifted(by: i64) -> Self {
        Self {
            shift: by,
            ..Self::default()
        }
    }

    /// What this machine's clock shows, in nanoseconds since 1970.
    pub(crate) fn machine(&self) -> i64 {
        nanos(moved(SystemTime::now(), self.shift))
    }

    /// From now on this machine's clock is ahead of the run's by so many nanoseconds.
    pub(crate) fn is_ahead_by(&self, nanos: i64) {
        self.ahead.store(nanos, Ordering::Relaxed);
    }

    /// What the run's clock shows now.
    pub(crate) fn now(&self) -> SystemTime {
        self.at(SystemTime::now())
    }

    /// What the run's clock showed when the system's showed this.
    pub(crate) fn at(&self, system: SystemTime) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        moved(system, self.shift.saturating_sub(ahead))
    }
}

/// Nanoseconds since 1970.
pub(crate) fn nanos(at: SystemTime) -> i64 {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn moved(at: SystemTime, by: i64) -> SystemTime {
    let length = Duration::from_nanos(by.unsigned_abs());
    let moved = match by < 0 {
        true => at.checked_sub(length),
        false => at.checked_add(length),
    };
    moved.unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_clock_that_is_off_makes_up_for_it() {
        let clock = Clock::shifted(500_000_000);
        let system = SystemTime::now();
        let half = Duration::from_millis(500);
        assert_eq!(clock.at(system), system + half);
        clock.clone().is_ahead_by(500_000_000);
        assert_eq!(clock.at(system), system);
        clock.is_ahead_by(-500_000_000);
        assert_eq!(clock.at(system), system + half + half);
        // What the machine shows is not what the run does.
        assert!(clock.machine() >= nanos(system + half));
        // Nonsense moves nothing.
        clock.is_ahead_by(i64::MIN);
        assert!(clock.at(SystemTime::UNIX_EPOCH) >= SystemTime::UNIX_EPOCH);
    }
}
