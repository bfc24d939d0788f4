//! The time of day as RTCP has it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds in 32 bits and fractions of one in 32 more (RFC 3550, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NtpTime(pub(super) u64);

impl NtpTime {
    /// The middle 32 bits: in units of 1/65,536 s, as reports of reception repeat it.
    pub(super) fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// From 1900, where NTP begins, to 1970: 70 years, 17 of them leap years.
const NTP_TO_UNIX: Duration = Duration::from_secs((70 * 365 + 17) * 24 * 60 * 60);

/// The clock of sender reports: the time of day, as it was when the node was made, and what has passed
/// since. It is never set, so all reports of a session fit together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NtpClock {
    start: Instant,
    /// Since 1900.
    start_time: Duration,
}

impl NtpClock {
    /// A clock that shows this time of day now. What is before 1970 counts as that.
    pub(crate) fn new(now: Instant, time_of_day: SystemTime) -> Self {
        let since_1970 = time_of_day.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start: now,
            start_time: NTP_TO_UNIX + since_1970,
        }
    }

    pub(super) fn at(self, now: Instant) -> NtpTime {
        let time = self.start_time + now.saturating_duration_since(self.start);
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        // The seconds wrap in 2036, and receivers expect it (RFC 3550, section 4).
        NtpTime(time.as_secs() << 32 | fraction)
    }
}
