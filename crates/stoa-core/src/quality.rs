//! How well packets get through between a participant and this node.

use std::time::Duration;

/// How well packets get through: loss on the worse of both ways, and the round trip. Worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConnectionQuality {
    /// Nobody hears a difference.
    Good,
    /// Some words suffer.
    Fair,
    /// Worse than that.
    Poor,
}

/// What was measured lately.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Measured {
    /// Which part of the participant's packets was lost on the way to us, 0 to 1.
    pub(crate) uplink_loss: Option<f32>,
    /// Which part of our packets was lost on the way to them, 0 to 1.
    pub(crate) downlink_loss: Option<f32>,
    pub(crate) round_trip: Option<Duration>,
}

/// What a receiver had reported of one line (RFC 3550, section 6.4.1), and what we had left out then.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reported {
    /// The highest sequence number, with its roll-overs.
    pub(crate) highest: u64,
    pub(crate) lost: u64,
    /// How many numbers were never sent.
    pub(crate) skipped: u64,
}

/// How many packets should have come, and how many did not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Loss {
    expected: u64,
    lost: u64,
}

impl Loss {
    /// Adds what happened between two reports on a line.
    ///
    /// What a speaker's own network has lost is missing in our stream, too, and the receiver cannot
    /// tell; but that is not its network's fault, so it is taken out.
    pub(crate) fn add(&mut self, before: Reported, now: Reported) {
        let skipped = now.skipped.saturating_sub(before.skipped);
        let lost = now.lost.saturating_sub(before.lost);
        self.lost += lost.saturating_sub(skipped);
        self.expected += now.highest.saturating_sub(before.highest + skipped);
    }

    /// Which part was lost, 0 to 1. Nothing, where nothing was to come.
    pub(crate) fn fraction(self) -> Option<f32> {
        // Whoever reports more lost than there was lies, and is told "all of it".
        let fraction = (self.lost as f32 / self.expected as f32).min(1.0);
        (self.expected > 0).then_some(fraction)
    }
}

/// Up to which loss and round trip a connection is as good as that. Opus conceals 2 % of loss unheard,
/// and conversations begin to collide beyond a round trip of 300 ms (ITU-T G.114: 150 ms one way).
const GOOD: (f32, Duration) = (0.02, Duration::from_millis(300));
const FAIR: (f32, Duration) = (0.10, Duration::from_millis(800));

/// By how much better than the limit a connection has to be before it is called better, so that the
/// name does not change to and fro.
const CLEARLY: f32 = 0.75;

impl Measured {
    /// What this amounts to, after `before`. Nothing if nothing was measured.
    pub(crate) fn quality(self, before: Option<ConnectionQuality>) -> Option<ConnectionQuality> {
        if self == Self::default() {
            return before;
        }
        let now = self.rate(1.0);
        Some(match before {
            // For the better, only as far as it is clear.
            Some(before) if now < before => self.rate(CLEARLY).min(before),
            _ => now,
        })
    }

    /// The quality by limits that are scaled by this.
    fn rate(self, scale: f32) -> ConnectionQuality {
        let losses = [self.uplink_loss, self.downlink_loss];
        let loss = losses.into_iter().flatten().fold(0.0, f32::max);
        let round_trip = self.round_trip.unwrap_or_default();
        let within = |(most_loss, longest): (f32, Duration)| {
            loss <= most_loss * scale && round_trip <= longest.mul_f32(scale)
        };
        if within(GOOD) {
            ConnectionQuality::Good
        } else if within(FAIR) {
            ConnectionQuality::Fair
        } else {
            ConnectionQuality::Poor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionQuality::*, *};

    fn loss(uplink_loss: f32) -> Measured {
        Measured {
            uplink_loss: Some(uplink_loss),
            ..Measured::default()
        }
    }

    #[test]
    fn the_worst_of_all_decides() {
        let all = Measured {
            uplink_loss: Some(0.0),
            downlink_loss: Some(0.05),
            round_trip: Some(Duration::from_millis(100)),
        };
        assert_eq!(all.quality(None), Some(Fair));
        let slow = Measured {
            round_trip: Some(Duration::from_secs(1)),
            ..all
        };
        assert_eq!(slow.quality(None), Some(Poor));
        assert_eq!(loss(0.0).quality(None), Some(Good));
        assert_eq!(Measured::default().quality(None), None);
        assert_eq!(Measured::default().quality(Some(Poor)), Some(Poor));
    }

    #[test]
    fn it_gets_worse_at_once_and_better_when_that_is_clear() {
        assert_eq!(loss(0.021).quality(Some(Good)), Some(Fair));
        assert_eq!(loss(0.019).quality(Some(Fair)), Some(Fair));
        assert_eq!(loss(0.01).quality(Some(Fair)), Some(Good));
        assert_eq!(loss(0.09).quality(Some(Poor)), Some(Poor));
        assert_eq!(loss(0.018).quality(Some(Poor)), Some(Fair));
    }
}
