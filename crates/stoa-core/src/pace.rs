//! How much of what costs a node something one participant may send, whatever keys they have.
//!
//! What is counted is authentic. Whoever forges a participant's address cannot use up what is theirs.

use std::time::{Duration, Instant};

use crate::limits::{
    MAX_CHECKS_PER_SECOND, MAX_HANDSHAKE_DATAGRAMS_PER_SECOND, MAX_REPORTS_PER_SECOND,
    MAX_VOICE_PACKETS_AT_ONCE, MAX_VOICE_PACKETS_PER_SECOND, PACE_BURST,
};

/// So many a second, and some at once: the generic cell rate algorithm of ITU-T I.371, which needs to know one moment
/// only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// For how long each counts.
    each: Duration,
    /// How much time what was taken may count for.
    most: Duration,
    /// Until when all that was taken counts.
    taken_until: Instant,
}

impl Pace {
    /// As many at once as may come in [`PACE_BURST`].
    const fn new(now: Instant, per_second: u32) -> Self {
        Self {
            each: Duration::from_nanos(1_000_000_000 / per_second as u64),
            most: PACE_BURST,
            taken_until: now,
        }
    }

    /// The same, with so many at once.
    const fn with_burst(now: Instant, per_second: u32, at_once: u32) -> Self {
        let pace = Self::new(now, per_second);
        Self {
            most: pace.each.saturating_mul(at_once),
            ..pace
        }
    }

    /// Takes one more, if there may be one.
    pub(crate) fn takes(&mut self, now: Instant) -> bool {
        let until = self.taken_until.max(now) + self.each;
        let takes = until <= now + self.most;
        if takes {
            self.taken_until = until;
        }
        takes
    }
}

/// What one participant may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paces {
    /// Packets of their microphone.
    pub(crate) voice: Pace,
    /// ICE checks.
    pub(crate) checks: Pace,
    /// RTCP.
    pub(crate) reports: Pace,
    /// Whatever it is, while their session is in a lobby. It alone is not authentic, since keys are made there.
    pub(crate) handshake: Pace,
}

impl Paces {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            voice: Pace::with_burst(now, MAX_VOICE_PACKETS_PER_SECOND, MAX_VOICE_PACKETS_AT_ONCE),
            checks: Pace::new(now, MAX_CHECKS_PER_SECOND),
            reports: Pace::new(now, MAX_REPORTS_PER_SECOND),
            handshake: Pace::new(now, MAX_HANDSHAKE_DATAGRAMS_PER_SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(pace: &mut Pace, now: Instant) -> usize {
        (0..1_000).take_while(|_| pace.takes(now)).count()
    }

    #[test]
    fn what_was_not_used_may_come_at_once_and_no_more() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 10);
        assert_eq!(takes(&mut pace, start), 20);
        assert_eq!(takes(&mut pace, start + Duration::from_millis(99)), 0);
        assert_eq!(takes(&mut pace, start + Duration::from_millis(100)), 1);
        assert_eq!(takes(&mut pace, start + Duration::from_secs(60)), 20);
        assert_eq!(takes(&mut Pace::with_burst(start, 10, 3), start), 3);
    }

    #[test]
    fn who_keeps_to_it_is_never_refused() {
        let start = Instant::now();
        let mut pace = Paces::new(start).voice;
        for number in 0..10_000 {
            let at = start + Duration::from_secs(1) * number / MAX_VOICE_PACKETS_PER_SECOND;
            assert!(pace.takes(at), "{number}");
        }
    }
}
