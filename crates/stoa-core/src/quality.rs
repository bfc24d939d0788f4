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
