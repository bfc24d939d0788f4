//! How a worker waits, and how it spends its time otherwise.

use std::{
    io,
    time::{Duration, Instant},
};

use mio::Events;

use super::Worker;
use crate::status::Lateness;

/// How a worker spends its time.
pub(super) struct Clock {
    /// When it began to work after it had waited last.
    awake: Instant,
    /// How long it was at work, until it waited last.
    pub(super) busy: Duration,
    /// How late it was at its timers.
    pub(super) lateness: Lateness,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            awake: Instant::now(),
            busy: Duration::ZERO,
            lateness: Lateness::default(),
        }
    }

    /// The worker has nothing to do now.
    fn rests(&mut self, now: Instant) {
        self.busy += now.saturating_duration_since(self.awake);
    }

    /// It goes on, and had a timer that was due then.
    fn wakes(&mut self, now: Instant, due: Option<Instant>) {
        self.awake = now;
        if let Some(due) = due
            && due <= now
        {
            self.lateness.count(now.saturating_duration_since(due));
        }
    }
}

impl Worker {
    /// Waits until then, or until something comes; `due` is when the core wants its next turn.
    pub(super) fn wait(
        &mut self,
        events: &mut Events,
        until: Instant,
        due: Option<Instant>,
    ) -> io::Result<()> {
        let now = Instant::now();
        self.clock.rests(now);
        let timeout = until.saturating_duration_since(now);
        let result = self.poll.poll(events, Some(timeout));
        self.clock.wakes(Instant::now(), due);
        self.doorbell.answer();
        match result {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }
}
