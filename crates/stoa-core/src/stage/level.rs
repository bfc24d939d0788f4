//! How loud somebody is: what a packet says (RFC 6464), smoothed over time.

use std::time::{Duration, Instant};

use crate::audio_level::{AudioLevel, LevelExtension};

/// The quietest level that counts as a voice. Browsers with noise suppression send below -70 dBov
/// in a quiet room, and quiet speech at about -45 dBov.
const VOICE: AudioLevel = AudioLevel::from_minus_dbov(60);

/// What a packet counts as that has no level but carries sound: somebody who talks as most do.
const ASSUMED: AudioLevel = AudioLevel::from_minus_dbov(35);

/// An Opus payload of up to two bytes is a packet of discontinuous transmission: it says that there
/// is nothing to hear (RFC 7587, section 3.1.3).
const DTX_PAYLOAD: usize = 2;

/// How much of the way towards a louder level one packet goes, in 1/256. Three packets (60 ms) take
/// most of it: a syllable counts while it is spoken.
const ATTACK: u32 = 128;

/// The same towards a quieter level: half of the way in about 0.7 s, so that neither pauses between
/// words nor the weak syllables of one voice make another one clearly louder.
const RELEASE: u32 = 5;

/// Whether an Opus packet of so many bytes says that there is nothing to hear.
pub(crate) fn is_silence(payload: usize) -> bool {
    payload <= DTX_PAYLOAD
}

/// What a packet usually carries.
const FRAME: Duration = Duration::from_millis(20);

/// After such a pause nothing is left of what was: [`RELEASE`] leaves a hundredth of it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);

/// One frame's step towards a quieter level.
fn release(smoothed: u32, target: u32) -> u32 {
    smoothed - (smoothed - target) * RELEASE / 256
}

/// The level that a packet stands for, whose Opus packet has so many bytes.
pub(crate) fn packet_level(extension: Option<LevelExtension>, payload: usize) -> AudioLevel {
    match extension {
        // Whatever its header claims.
        _ if is_silence(payload) => AudioLevel::SILENCE,
        Some(extension) => extension.level,
        None => ASSUMED,
    }
}

/// One speaker's loudness over time.
#[derive(Debug, Clone)]
pub(crate) struct Loudness {
    /// 127 - level, in 1/256 dB: larger is louder.
    smoothed: u32,
    last_packet: Option<Instant>,
    last_voiced: Option<Instant>,
}

impl Loudness {
    pub(crate) fn new() -> Self {
        Self {
            smoothed: 0,
            last_packet: None,
            last_voiced: None,
        }
    }

    /// Takes one packet's level. Returns whether the packet is voiced.
    pub(crate) fn update(&mut self, now: Instant, level: AudioLevel) -> bool {
        self.decay_since_last_packet(now);
        let target = u32::from(127 - level.minus_dbov()) * 256;
        self.smoothed = if target > self.smoothed {
            self.smoothed + (target - self.smoothed) * ATTACK / 256
        } else {
            release(self.smoothed, target)
        };
        let voiced = level.minus_dbov() <= VOICE.minus_dbov();
        if voiced {
            self.last_voiced = Some(now);
        }
        voiced
    }

    /// Who sends nothing (discontinuous transmission) is as silent as who sends silence.
    fn decay_since_last_packet(&mut self, now: Instant) {
        let last = self.last_packet.replace(now);
        let away = last.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        if away >= FORGOTTEN_AFTER {
            self.smoothed = 0;
        }
        // One frame is this packet's own; the next is not missing before it is late.
        for _ in 2..away.as_millis() / FRAME.as_millis() {
            self.smoothed = release(self.smoothed, 0);
        }
    }

    /// Notes that there was something to hear, whatever its level.
    pub(crate) fn sounded(&mut self, now: Instant) {
        self.last_voiced = Some(now);
    }

    /// The smoothed level in whole decibels above silence: 0 is silence, 127 is the loudest.
    pub(crate) fn decibels(&self) -> u32 {
        self.smoothed / 256
    }

    /// The smoothed level.
    pub(crate) fn level(&self) -> AudioLevel {
        // `smoothed` never exceeds 127 * 256.
        AudioLevel::from_minus_dbov(127 - u8::try_from(self.decibels()).unwrap_or(127))
    }

    /// When the last voiced packet came.
    pub(crate) fn last_voiced(&self) -> Option<Instant> {
        self.last_voiced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_rises_within_a_syllable_and_falls_slowly() {
        let mut now = Instant::now();
        let mut loudness = Loudness::new();
        for _ in 0..4 {
            now += Duration::from_millis(20);
            assert!(loudness.update(now, AudioLevel::from_minus_dbov(30)));
        }
        let peak = loudness.decibels();
        assert!(peak > 85, "after 80 ms at -30 dBov: {peak}");
        for _ in 0..5 {
            now += Duration::from_millis(20);
            assert!(!loudness.update(now, AudioLevel::SILENCE));
        }
        assert!(
            loudness.decibels() > peak * 3 / 4,
            "a pause of 100 ms is not silence"
        );
        for _ in 0..200 {
            loudness.update(now, AudioLevel::SILENCE);
        }
        assert!(loudness.level().minus_dbov() > 120);
    }

    #[test]
    fn who_sends_nothing_is_as_silent_as_who_sends_silence() {
        let loud = AudioLevel::from_minus_dbov(20);
        let start = Instant::now();
        let at = |frame: u32| start + FRAME * frame;
        let (mut sends, mut stops) = (Loudness::new(), Loudness::new());
        for frame in 0..50 {
            sends.update(at(frame), loud);
            stops.update(at(frame), loud);
        }
        for frame in 50..100 {
            sends.update(at(frame), AudioLevel::SILENCE);
        }
        sends.update(at(100), AudioLevel::SILENCE);
        stops.update(at(100), AudioLevel::SILENCE);
        assert!(sends.decibels().abs_diff(stops.decibels()) <= 1);
        assert!(sends.decibels() < 50);
        stops.update(at(1_000), loud);
        assert!(stops.decibels() < 60, "half of the way, from nothing");
    }

    #[test]
    fn a_packet_without_level_counts_by_what_it_carries() {
        assert_eq!(packet_level(None, 1), AudioLevel::SILENCE);
        assert_eq!(packet_level(None, 80), ASSUMED);
        let extension = LevelExtension {
            level: AudioLevel::from_minus_dbov(9),
            voice: true,
        };
        assert_eq!(
            packet_level(Some(extension), 80),
            AudioLevel::from_minus_dbov(9)
        );
        assert_eq!(packet_level(Some(extension), 1), AudioLevel::SILENCE);
    }
}
