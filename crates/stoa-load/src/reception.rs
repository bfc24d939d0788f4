//! What has come of one stream, from RTP headers alone (RFC 3550): they are not encrypted.

use std::time::Duration;

use crate::rtp::Header;

/// How far back a packet is known to be a duplicate or not: 20 s of audio.
const WINDOW: u64 = 1_024;
const WORDS: usize = (WINDOW / 64) as usize;

/// A jump by more than this is no loss but another beginning (RFC 3550, appendix A.1).
const MAX_JUMP: u64 = 3_000;

/// For how long the fastest way through the network is remembered, so that clocks may drift.
const MEMORY: Duration = Duration::from_secs(10);

/// What an arrival was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Packets of which one knows by this arrival that they should have come, this one included.
    pub(crate) expected: u64,
    /// Whether it is a packet that had not come before.
    pub(crate) received: bool,
    /// Whether it had come before.
    pub(crate) duplicate: bool,
    /// Whether a packet after it had come before it.
    pub(crate) reordered: bool,
    /// Whether it came too late to be played.
    pub(crate) late: bool,
    /// Whether another speaker has this stream now.
    pub(crate) changed: bool,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    late_after: Duration,
    /// The greatest sequence number, with the turns of its 16 bits.
    highest: u64,
    lowest: u64,
    /// A bit for each of the last numbers.
    seen: [u64; WORDS],
    time: i64,
    csrc: Option<u32>,
    /// The least transit now, the one before, and when it becomes that.
    transit: [i64; 2],
    turn: Duration,
}

impl Stream {
    /// The stream of which this packet was the first to arrive.
    pub(crate) fn new(late_after: Duration, header: &Header, at: Duration) -> (Self, Arrival) {
        // Not 0: packets before the first one may come after it.
        let highest = (1 << 16) + u64::from(header.sequence_number);
        let mut stream = Self {
            late_after,
            highest,
            lowest: highest,
            seen: [0; WORDS],
            time: i64::from(header.timestamp),
            csrc: header.csrc,
            transit: [i64::MAX; 2],
            turn: at + MEMORY,
        };
        stream.mark(highest);
        stream.is_late(header, at);
        let arrival = Arrival {
            expected: 1,
            received: true,
            ..Arrival::default()
        };
        (stream, arrival)
    }

    /// Takes the next packet to arrive; the time is that of the receiver's clock, from any beginning.
    pub(crate) fn take(&mut self, header: &Header, at: Duration) -> Arrival {
        let number = self.extended(header.sequence_number);
        if self.highest.abs_diff(number) > MAX_JUMP {
            let (stream, arrival) = Self::new(self.late_after, header, at);
            *self = stream;
            return arrival;
        }
        let mut arrival = Arrival {
            late: self.is_late(header, at),
            ..Arrival::default()
        };
        if number > self.highest {
            arrival.expected = number - self.highest;
            arrival.received = true;
            arrival.changed = header.csrc.is_some() && header.csrc != self.csrc;
            for missing in self.highest + 1..number {
                self.unmark(missing);
            }
            self.mark(number);
            self.highest = number;
            self.csrc = header.csrc.or(self.csrc);
        } else if self.highest - number >= WINDOW || self.is_marked(number) {
            // What is older than the window cannot be told from a duplicate.
            arrival.duplicate = true;
            arrival.late = false;
        } else {
            arrival.received = true;
            arrival.reordered = true;
            if number < self.lowest {
                arrival.expected = self.lowest - number;
                self.lowest = number;
            }
            self.mark(number);
        }
        arrival
    }

    /// The number whose last 16 bits these are, and that is nearest to the greatest so far.
    fn extended(&self, number: u16) -> u64 {
        let ahead = number.wrapping_sub(self.highest as u16);
        let distance = i64::from(ahead as i16);
        self.highest.saturating_add_signed(distance)
    }

    /// Compares the packet's way with the fastest one. The RTP clock has 48 kHz (RFC 7587).
    fn is_late(&mut self, header: &Header, at: Duration) -> bool {
        let last = self.time as u32;
        let step = header.timestamp.wrapping_sub(last) as i32;
        let time = self.time + i64::from(step);
        self.time = self.time.max(time);
        let arrived = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
        let transit = arrived - time * 1_000 / 48;
        if at >= self.turn {
            self.transit = [i64::MAX, self.transit[0]];
            self.turn = at + MEMORY;
        }
        self.transit[0] = self.transit[0].min(transit);
        let fastest = self.transit[0].min(self.transit[1]);
        let behind = u64::try_from(transit - fastest).unwrap_or(0);
        Duration::from_micros(behind) > self.late_after
    }

    fn mark(&mut self, number: u64) {
        self.seen[(number % WINDOW / 64) as usize] |= 1 << (number % 64);
    }

    fn unmark(&mut self, number: u64) {
        self.seen[(number % WINDOW / 64) as usize] &= !(1 << (number % 64));
    }

    fn is_marked(&self, number: u64) -> bool {
        number >= self.lowest
            && self.seen[(number % WINDOW / 64) as usize] & 1 << (number % 64) != 0
    }
}

#[cfg(test)]
mod tests;
