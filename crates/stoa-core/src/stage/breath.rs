//! Whether a claimed level can be a voice's: somebody who talks has to breathe.
//!
//! A client says itself how loud it is (RFC 6464), and may lie: who claims the loudest level for ever
//! would hold a slot for ever. So we look for what no voice lacks, a moment well below its own
//! loudness. Whoever shows none for longer than anybody talks is not believed until they do. A fan or
//! an open window beside a microphone is caught by the same rule, and gives way to voices.

use std::time::{Duration, Instant};

use crate::audio_level::AudioLevel;

/// Longer than anybody talks without a breath.
pub(crate) const LONGEST_BREATH: Duration = Duration::from_secs(20);

/// How long a pause is at least.
const PAUSE: Duration = Duration::from_millis(100);

/// By how many decibels a pause is below the loudest of what was said.
const DEPTH_DB: u32 = 15;

/// How fast the loudest is forgotten: a decibel in so long. Whoever turns away from the microphone is
/// not held to how loud they were before.
const FORGETS_DECIBEL_IN: Duration = Duration::from_millis(500);

/// When somebody last paused.
#[derive(Debug, Clone)]
pub(crate) struct Breath {
    /// The loudest of late, in decibels above silence, and when that was set or lowered.
    peak: u32,
    peak_at: Option<Instant>,
    /// Since when they are quiet.
    quiet_since: Option<Instant>,
    /// When the last packet came.
    last: Option<Instant>,
    /// Since when there was no pause. Nothing before the first packet.
    breathless_since: Option<Instant>,
}

impl Breath {
    pub(crate) fn new() -> Self {
        Self {
            peak: 0,
            peak_at: None,
            quiet_since: None,
            last: None,
            breathless_since: None,
        }
    }

    /// Takes one packet's level.
    pub(crate) fn update(&mut self, now: Instant, level: AudioLevel) {
        let decibels = u32::from(127 - level.minus_dbov());
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        // Who sends nothing (discontinuous transmission) pauses.
        let was_away = since(self.last).is_none_or(|silence| silence >= PAUSE);
        self.last = Some(now);
        self.forget_peak(now);
        if decibels >= self.peak {
            (self.peak, self.peak_at) = (decibels, Some(now));
        }
        let is_quiet = decibels + DEPTH_DB <= self.peak || level == AudioLevel::SILENCE;
        self.quiet_since = match is_quiet {
            true => self.quiet_since.or(Some(now)),
            false => None,
        };
        let has_paused = since(self.quiet_since).is_some_and(|quiet| quiet >= PAUSE);
        if was_away || has_paused || self.breathless_since.is_none() {
            self.breathless_since = Some(now);
        }
    }

    fn forget_peak(&mut self, now: Instant) {
        let Some(at) = self.peak_at else {
            return;
        };
        let steps = now.saturating_duration_since(at).as_millis() / FORGETS_DECIBEL_IN.as_millis();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        if steps > 0 {
            self.peak = self.peak.saturating_sub(steps);
            self.peak_at = Some(now);
        }
    }

    /// Whether there was no pause for longer than anybody talks.
    pub(crate) fn is_missing(&self, now: Instant) -> bool {
        self.breathless_since
            .is_some_and(|since| now.saturating_duration_since(since) >= LONGEST_BREATH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    /// Sends such levels, 20 ms apart, and says whether breath is missing at the end.
    fn is_missing_after(levels: impl Iterator<Item = u8>) -> bool {
        let (mut now, mut breath) = (Instant::now(), Breath::new());
        for level in levels {
            now += FRAME;
            breath.update(now, AudioLevel::from_minus_dbov(level));
        }
        breath.is_missing(now)
    }

    #[test]
    fn one_level_for_ever_is_not_a_voice() {
        assert!(!is_missing_after(std::iter::repeat_n(0, 900)));
        assert!(is_missing_after(std::iter::repeat_n(0, 1_100)));
        // Nor is a level that trembles.
        assert!(is_missing_after((20..27).cycle().take(1_100)));
    }

    #[test]
    fn talk_with_pauses_is_a_voice() {
        let talk = |n: u32| match n % 200 {
            0..190 => 20 + u8::try_from(n * 7 % 13).unwrap(),
            _ => 50,
        };
        assert!(!is_missing_after((0..6_000).map(talk)));
        let stops_sending = |breath: &mut Breath, now: &mut Instant| {
            for n in 0..3_000 {
                *now += if n % 150 == 0 { PAUSE } else { FRAME };
                breath.update(*now, AudioLevel::from_minus_dbov(15));
                assert!(!breath.is_missing(*now), "at packet {n}");
            }
        };
        stops_sending(&mut Breath::new(), &mut Instant::now());
    }

    #[test]
    fn one_pause_makes_good() {
        let mut levels = vec![0; 1_200];
        levels.extend([127; 8]);
        levels.extend([0; 100]);
        assert!(!is_missing_after(levels.into_iter()));
    }
}
