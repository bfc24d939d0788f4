//! What is learned from figures: it rises soon and falls slowly, so that the worst that was seen lately counts.

use std::time::Duration;

/// In which time a value has come most of the way to what is measured.
const SMOOTHING: Duration = Duration::from_secs(3);

/// In which time something learned has come most of the way up to what is worse.
const RISE: Duration = Duration::from_secs(5);

/// In which time something learned has come half of the way down to what is better.
const HALF_LIFE: Duration = Duration::from_secs(600);

/// For how long it has to be measured before it takes the place of what was taken for granted.
const TRIAL: Duration = Duration::from_secs(5);

/// How far one goes in this time of a way that takes so long.
fn share(passed: Duration, time: Duration) -> f64 {
    1.0 - (-passed.as_secs_f64() / time.as_secs_f64()).exp()
}

/// Something measured, without its noise.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Smoothed(Option<f64>);

impl Smoothed {
    pub(super) fn take(&mut self, value: f64, passed: Duration) {
        let before = self.0.unwrap_or(value);
        self.0 = Some(before + (value - before) * share(passed, SMOOTHING));
    }

    pub(super) fn value(self) -> f64 {
        self.0.unwrap_or(0.0)
    }
}

/// The worst of something that was seen lately, or what is taken for granted until it is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worst {
    value: f64,
    /// For how long it has been measured, until that is enough; and the worst of it.
    trial: Duration,
    worst: f64,
}

impl Worst {
    pub(super) fn prior(value: f64) -> Self {
        Self {
            value,
            trial: Duration::ZERO,
            worst: 0.0,
        }
    }

    pub(super) fn take(&mut self, value: f64, passed: Duration) {
        if self.trial < TRIAL {
            self.trial += passed;
            self.worst = self.worst.max(value);
            if self.trial >= TRIAL {
                self.value = self.worst;
            }
            return;
        }
        let way = value - self.value;
        let share = match way > 0.0 {
            true => share(passed, RISE),
            false => share(passed, HALF_LIFE.div_f64(std::f64::consts::LN_2)),
        };
        self.value += way * share;
    }

    pub(super) fn value(self) -> f64 {
        self.value
    }
}

/// How many packets a second somebody in the node gets: what they got when there was most talk lately. Before
/// there was any, as if all slots of their room were taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk(f64);

impl Talk {
    pub(super) fn prior(packets: f64) -> Self {
        Self(packets)
    }

    /// Silence is no evidence: nothing is to be told here of seconds in which hardly anybody talks.
    pub(super) fn take(&mut self, packets: f64, passed: Duration) {
        match packets > self.0 {
            true => self.0 = packets,
            false => {
                let half_life = HALF_LIFE.div_f64(std::f64::consts::LN_2);
                self.0 += (packets - self.0) * share(passed, half_life);
            }
        }
    }

    pub(super) fn value(self) -> f64 {
        self.0
    }
}
