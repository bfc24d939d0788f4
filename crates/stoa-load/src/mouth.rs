//! How one peer speaks, as a browser would: 20 ms packets with their level, and discontinuous transmission.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::{
    speech::{self, Stamp},
    talk::{Manner, Talk},
};

/// How often somebody who talks sends a packet.
pub(crate) const FRAME: Duration = Duration::from_millis(20);

/// The RTP time of that (RFC 7587: 48 kHz).
const FRAME_TICKS: u32 = 960;

/// For how many frames of silence Opus goes on before it transmits no more, and how often it does then.
const FRAMES_BEFORE_SILENCE: u64 = 10;
const FRAMES_OF_SILENCE: u64 = 20;

/// How loud a quiet room is, in -dBov.
const QUIET: u8 = 75;

/// The greatest difference in loudness between two speakers, in dB.
const LOUDNESS_SPREAD: u32 = 9;

/// Who somebody is and when they talk.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Voice {
    /// The tester's number of them.
    pub(crate) speaker: u32,
    /// How those talk with each other with whom they talk, how many they are, and what it follows from.
    pub(crate) manner: Manner,
    pub(crate) talkers: usize,
    pub(crate) seed: u64,
    /// Who they are in that.
    pub(crate) place: usize,
    /// When that began, by the run's clock.
    pub(crate) began: SystemTime,
}

/// What is sent in 20 ms.
pub(crate) struct Said {
    pub(crate) payload: Vec<u8>,
    /// In -dBov.
    pub(crate) level: u8,
    /// Whether it is speech.
    pub(crate) is_voice: bool,
    /// Whether a talk-spurt begins with it (RFC 3551, section 4.1).
    pub(crate) marker: bool,
    /// The RTP time.
    pub(crate) time: u32,
}

/// Somebody's mouth.
#[derive(Debug)]
pub(crate) struct Mouth {
    voice: Voice,
    /// Who talks when in their room.
    talk: Talk,
    /// Frames since it opened, with and without a voice.
    frames: u64,
    /// Frames of the silence it is in; none while it talks.
    silent: u64,
    number: u32,
    spurt: u32,
    in_spurt: u16,
}

impl Mouth {
    pub(crate) fn new(voice: Voice) -> Self {
        Self {
            talk: Talk::new(voice.manner, voice.talkers, voice.seed),
            voice,
            frames: 0,
            silent: FRAMES_BEFORE_SILENCE,
            number: 0,
            spurt: 0,
            in_spurt: 0,
        }
    }

    /// The next 20 ms, which begin at this time of the run's clock; `None` if nothing is transmitted in them.
    pub(crate) fn open(&mut self, wall: SystemTime) -> Option<Said> {
        let time = (self.frames as u32).wrapping_mul(FRAME_TICKS);
        self.frames += 1;
        let since = wall.duration_since(self.voice.began).unwrap_or_default();
        if self.talk.talks(self.voice.place, since) {
            return Some(self.speak(time, wall));
        }
        self.silent += 1;
        if self.silent <= FRAMES_BEFORE_SILENCE {
            return Some(self.fade(time, wall));
        }
        let is_due = (self.silent - FRAMES_BEFORE_SILENCE) % FRAMES_OF_SILENCE == 1;
        is_due.then(|| Said {
            payload: speech::silence(),
            level: QUIET,
            is_voice: false,
            marker: false,
            time,
        })
    }

    fn speak(&mut self, time: u32, wall: SystemTime) -> Said {
        let marker = self.silent > 0;
        if marker {
            self.spurt += 1;
            self.in_spurt = 0;
            self.silent = 0;
        }
        // Everybody says the same, from another place of it.
        let frame =
            (u64::from(self.voice.speaker) * 97 + self.frames) as usize % speech::sample().len();
        let quieter = (self.voice.speaker * 5 % (LOUDNESS_SPREAD + 1)) as u8;
        let level = (speech::sample()[frame].level + quieter).min(QUIET);
        let spurt = if self.talk.has_spurts() {
            self.spurt
        } else {
            0
        };
        let payload = self.stamped(frame, spurt, wall);
        self.in_spurt = self.in_spurt.saturating_add(1);
        Said {
            payload,
            level,
            is_voice: true,
            marker,
            time,
        }
    }

    /// The encoder hears that nobody talks, and still transmits.
    fn fade(&mut self, time: u32, wall: SystemTime) -> Said {
        Said {
            payload: self.stamped(0, 0, wall),
            level: QUIET,
            is_voice: false,
            marker: false,
            time,
        }
    }

    fn stamped(&mut self, frame: usize, spurt: u32, wall: SystemTime) -> Vec<u8> {
        let written = wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        self.number += 1;
        speech::sample()[frame].stamped(&Stamp {
            speaker: self.voice.speaker,
            number: self.number,
            spurt,
            in_spurt: if spurt == 0 { 0 } else { self.in_spurt },
            frame: u16::try_from(frame).unwrap_or(0),
            written: u64::try_from(written.as_nanos()).unwrap_or(u64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mouth(manner: Manner, talkers: usize, began: SystemTime) -> Mouth {
        Mouth::new(Voice {
            speaker: 3,
            manner,
            talkers,
            seed: 1,
            place: 0,
            began,
        })
    }

    fn minute(mut mouth: Mouth, began: SystemTime) -> Vec<Option<Said>> {
        let frames = 0..3_000;
        let at = |frame| began + FRAME * frame;
        frames.map(|frame| mouth.open(at(frame))).collect()
    }

    #[test]
    fn a_monologue_without_pauses_is_a_packet_each_20_ms() {
        let began = SystemTime::now();
        let said = minute(mouth(Manner::Always, 1, began), began);
        assert!(said.iter().all(Option::is_some));
        let said: Vec<Said> = said.into_iter().flatten().collect();
        assert!(said[0].marker && !said[1].marker);
        assert_eq!(said[10].time - said[9].time, 960);
        let stamp = Stamp::read(&said[9].payload)
            .expect("ours")
            .expect("a voice");
        assert_eq!((stamp.speaker, stamp.number, stamp.spurt), (3, 10, 0));
    }

    #[test]
    fn in_silence_there_is_a_packet_each_400_ms_and_the_clock_goes_on() {
        let began = SystemTime::now();
        let said = minute(mouth(Manner::Conversation, 4, began), began);
        let (mut silent, mut spurts) = (0, 0);
        for (frame, said) in (0..).zip(&said) {
            let Some(said) = said else {
                silent += 1;
                assert!(silent < FRAMES_OF_SILENCE, "frame {frame}");
                continue;
            };
            assert_eq!(said.time, frame * FRAME_TICKS);
            assert!(said.is_voice == (said.level < QUIET));
            if said.marker {
                assert!(said.is_voice);
                let stamp = Stamp::read(&said.payload).expect("ours").expect("a voice");
                spurts += 1;
                assert_eq!((stamp.spurt, stamp.in_spurt), (spurts, 0));
            }
            silent = 0;
        }
        let voices = said.iter().flatten().filter(|said| said.is_voice).count();
        assert!((300..1_200).contains(&voices), "{voices}");
        let silences = said
            .iter()
            .flatten()
            .filter(|said| said.payload.len() == 1)
            .count();
        assert!(silences > 20, "{silences}");
    }
}
