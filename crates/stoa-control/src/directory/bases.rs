//! Where revisions begin, so that no revision is ever used twice.
//!
//! The core counts each room from 1. A caller who comes back with a revision must not be taken for up to date
//! where the room is another one by now: closed and created again under its name, or the same name on a node
//! that was started anew. So what callers see is the core's revision added to a base: the time of day of the
//! room's creation in microseconds, and more than any revision that this process has used for a room that is
//! gone. A room would have to change more than a million times a second to be ahead of the clock. The same
//! holds for the revisions of tenants, which begin when the process first has to do with them.
//!
//! They stay below 2^53 until the year 2255, so JSON and JavaScript can carry them as numbers.

use std::time::{SystemTime, UNIX_EPOCH};

/// The highest revision that was used.
#[derive(Debug, Default)]
pub(super) struct Bases {
    used: u64,
}

impl Bases {
    /// What the revisions of something new begin after.
    pub(super) fn begin(&self, now: SystemTime) -> u64 {
        let time = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 2);
        time.max(self.used)
    }

    /// Notes the last revision of something that is gone.
    pub(super) fn used(&mut self, revision: u64) {
        self.used = self.used.max(revision);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_base_is_the_time_unless_the_clock_stands_or_goes_back() {
        let at = |micros| UNIX_EPOCH + Duration::from_micros(micros);
        let mut bases = Bases::default();
        assert_eq!(bases.begin(at(1_000)), 1_000);
        bases.used(1_007);
        assert_eq!(bases.begin(at(1_000)), 1_007);
        assert_eq!(bases.begin(at(500)), 1_007);
        bases.used(3);
        assert_eq!(bases.begin(at(2_000)), 2_000);
    }

    #[test]
    fn a_number_of_json_can_carry_it() {
        let in_2250 = UNIX_EPOCH + Duration::from_secs(280 * 365 * 24 * 60 * 60);
        assert!(Bases::default().begin(in_2250) < 1 << 53);
    }
}
