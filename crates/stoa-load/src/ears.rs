//! What one peer makes of the packets that come to it.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use crate::{
    mouth::FRAME,
    reception::Stream,
    rtp::Header,
    speech::{Corrupt, Stamp},
    tally::Tally,
};

/// More streams than a server has slots are counted as one.
const MOST_STREAMS: usize = 64;

/// A voice that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) speaker: u32,
    /// When it was said.
    pub(crate) written: SystemTime,
}

/// One peer's ears.
#[derive(Debug)]
pub(crate) struct Ears {
    late_after: Duration,
    streams: HashMap<u32, Stream>,
    /// Since when it listens.
    since: Option<SystemTime>,
    /// Its own voice.
    own: Option<u32>,
    /// Whose voice each CSRC was.
    voices: HashMap<u32, u32>,
    /// The last talk-spurt that was heard of each speaker.
    spurts: HashMap<u32, u32>,
}

impl Ears {
    /// Of a peer with this voice, if it has one.
    pub(crate) fn new(late_after: Duration, own: Option<u32>) -> Self {
        Self {
            late_after,
            streams: HashMap::new(),
            since: None,
            own,
            voices: HashMap::new(),
            spurts: HashMap::new(),
        }
    }

    /// From now on it can hear.
    pub(crate) fn open(&mut self, at: SystemTime) {
        self.since = Some(at);
    }

    /// Whether anything has come yet.
    pub(crate) fn has_heard(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Counts a packet by its header.
    pub(crate) fn count(
        &mut self,
        header: &Header,
        at: SystemTime,
        bytes: usize,
        tally: &mut Tally,
    ) {
        let since_1970 = at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let is_full = self.streams.len() >= MOST_STREAMS;
        let arrival = match self.streams.get_mut(&header.ssrc) {
            Some(stream) => stream.take(header, since_1970),
            None if is_full => return,
            None => {
                let (stream, arrival) = Stream::new(self.late_after, header, since_1970);
                self.streams.insert(header.ssrc, stream);
                arrival
            }
        };
        tally.arrived(arrival, bytes);
    }

    /// Looks at what a packet says. Returns the voice in it, if there is one.
    pub(crate) fn listen(
        &mut self,
        csrc: Option<u32>,
        payload: &[u8],
        arrived: SystemTime,
        tally: &mut Tally,
    ) -> Option<Heard> {
        tally.checked += 1;
        let stamp = match Stamp::read(payload) {
            Ok(Some(stamp)) => stamp,
            Ok(None) => return None,
            Err(Corrupt) => {
                tally.corrupt += 1;
                return None;
            }
        };
        tally.own_voice += u64::from(self.own == Some(stamp.speaker));
        if let Some(csrc) = csrc {
            let known = *self.voices.entry(csrc).or_insert(stamp.speaker);
            tally.wrong_voice += u64::from(known != stamp.speaker);
        }
        let written = SystemTime::UNIX_EPOCH + Duration::from_nanos(stamp.written);
        tally
            .latency
            .add(arrived.duration_since(written).unwrap_or_default());
        if stamp.spurt > 0 {
            self.onset(&stamp, written, tally);
        }
        Some(Heard {
            speaker: stamp.speaker,
            written,
        })
    }

    /// The first packet of a talk-spurt to be heard tells how much of it was not.
    fn onset(&mut self, stamp: &Stamp, written: SystemTime, tally: &mut Tally) {
        let before = self.spurts.insert(stamp.speaker, stamp.spurt);
        let missed = FRAME * u32::from(stamp.in_spurt);
        let began = written - missed;
        let was_there = self.since.is_some_and(|since| since <= began);
        if before != Some(stamp.spurt) && was_there {
            tally.onset.add(missed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech;

    const LATE: Duration = Duration::from_millis(100);

    fn packet(speaker: u32, spurt: u32, in_spurt: u16, written: SystemTime) -> Vec<u8> {
        let written = written
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("after 1970");
        speech::sample()[5].stamped(&Stamp {
            speaker,
            number: 1,
            spurt,
            in_spurt,
            frame: 5,
            written: written.as_nanos() as u64,
        })
    }

    #[test]
    fn latency_and_onset_are_those_of_the_stamp() {
        let (mut ears, mut tally) = (Ears::new(LATE, None), Tally::default());
        let now = SystemTime::now();
        ears.open(now);
        let at = |ms| now + Duration::from_millis(ms);
        for (written, spurt, in_spurt) in [(1_060, 1, 3), (1_080, 1, 4), (2_000, 2, 0)] {
            let payload = packet(9, spurt, in_spurt, at(written));
            let heard = ears.listen(Some(4), &payload, at(written + 10), &mut tally);
            assert_eq!(heard.map(|heard| heard.speaker), Some(9));
        }
        assert_eq!((tally.latency.count(), tally.latency.max()), (3, 10.0));
        // 60 ms of the first, nothing of the second.
        assert_eq!((tally.onset.count(), tally.onset.max()), (2, 60.0));
        // One that had begun before is no onset.
        ears.open(at(3_000));
        ears.listen(Some(4), &packet(9, 3, 50, at(3_010)), at(3_020), &mut tally);
        assert_eq!(tally.onset.count(), 2);
    }

    #[test]
    fn what_should_not_be_heard_is_told() {
        let (mut ears, mut tally) = (Ears::new(LATE, Some(1)), Tally::default());
        let now = SystemTime::now();
        ears.listen(Some(4), &packet(2, 1, 0, now), now, &mut tally);
        assert_eq!(
            (tally.own_voice, tally.wrong_voice, tally.corrupt),
            (0, 0, 0)
        );
        ears.listen(Some(4), &packet(3, 1, 0, now), now, &mut tally);
        ears.listen(Some(5), &packet(1, 1, 0, now), now, &mut tally);
        ears.listen(Some(4), &[1, 2, 3], now, &mut tally);
        assert_eq!(
            (tally.own_voice, tally.wrong_voice, tally.corrupt),
            (1, 1, 1)
        );
        assert_eq!(tally.checked, 4);
    }
}
