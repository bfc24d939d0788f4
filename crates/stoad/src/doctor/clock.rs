//! Whether the clock is right, and goes steadily.

use std::{
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use super::finding::Finding;

const CHECK: &str = "clock";

/// The first moment of 2026: Stoa is no older, so a clock before it is wrong (seconds since 1970).
const NO_EARLIER: u64 = 1_767_225_600;

/// How far the time of day may go from the monotonic clock while one looks. Slewing is a two-thousandth at the most.
const STEADY: Duration = Duration::from_millis(20);

/// The two clocks, read when the examination begins.
pub(super) struct Watch {
    monotonic: Instant,
    real: SystemTime,
}

impl Watch {
    pub(super) fn begin() -> Self {
        Self {
            monotonic: Instant::now(),
            real: SystemTime::now(),
        }
    }

    pub(super) fn check(&self) -> Vec<Finding> {
        let synchronised = synchronised();
        let since = self.real.checked_add(self.monotonic.elapsed());
        let now = SystemTime::now();
        let gone = since.map_or(Duration::MAX, |expected| {
            let ahead = now.duration_since(expected);
            ahead.unwrap_or_else(|behind| behind.duration())
        });
        let now = now.duration_since(SystemTime::UNIX_EPOCH);
        vec![
            agrees(synchronised),
            runs(gone, now.map_or(0, |since| since.as_secs())),
        ]
    }
}

/// Whether something keeps the clock right, if the system can say it.
fn synchronised() -> Option<bool> {
    let mut ask = Command::new("timedatectl");
    let said = ask
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output();
    match said
        .ok()
        .filter(|said| said.status.success())?
        .stdout
        .as_slice()
        .trim_ascii()
    {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

fn agrees(synchronised: Option<bool>) -> Finding {
    const MEANING: &str = "join tokens are refused as expired or not yet valid where clocks differ, and bans of one \
                           moment meet the joins of another";
    match synchronised {
        Some(true) => Finding::ok(CHECK, "is synchronised".to_owned()),
        Some(false) => Finding::fail(CHECK, "is not synchronised".to_owned(), MEANING)
            .mend("timedatectl set-ntp true"),
        None => Finding::warn(
            CHECK,
            "timedatectl does not say whether it is synchronised".to_owned(),
            MEANING,
        )
        .mend("chronyc tracking    (in a container: on its host)"),
    }
}

fn runs(gone: Duration, now: u64) -> Finding {
    if now < NO_EARLIER {
        let measured = format!("says that it is {now} s since 1970, which is before Stoa was made");
        let meaning = "no certificate is valid yet, and no call comes through";
        return Finding::fail(CHECK, measured, meaning).mend("timedatectl set-ntp true");
    }
    let measured = format!("went {gone:?} away from the monotonic clock while one looked");
    match gone <= STEADY {
        true => Finding::ok(CHECK, measured),
        false => Finding::warn(CHECK, measured, "it is being set in jumps: tokens and bans go by another time from one moment to the next")
            .mend("chronyc tracking    (two services that set the clock at once? systemctl list-units '*ntp*' '*chrony*' '*timesync*')"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    #[test]
    fn a_clock_that_jumps_or_is_years_behind_is_said() {
        let level = |millis, now| runs(Duration::from_millis(millis), now).level;
        assert_eq!(level(0, NO_EARLIER), Level::Ok);
        assert_eq!(level(500, NO_EARLIER), Level::Warn);
        assert_eq!(level(0, 0), Level::Fail);
    }

    #[test]
    fn what_is_not_known_is_no_failure() {
        assert_eq!(agrees(Some(true)).level, Level::Ok);
        assert_eq!(agrees(Some(false)).level, Level::Fail);
        assert_eq!(agrees(None).level, Level::Warn);
    }
}
