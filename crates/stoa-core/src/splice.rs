//! Joins packets of changing sources into one continuous RTP stream.
//!
//! The same operation is needed in two places. A slot of a room changes its speaker. And what one
//! listener hears in a slot changes from the room's stream to another one while that listener holds
//! the slot, since nobody hears themselves. In both places the receiver must see one SSRC whose
//! sequence numbers go on without a gap, whose timestamps follow the wall clock, and whose marker
//! bit says where a new source begins (RFC 3551, section 4.1).
//!
//! Within one source, gaps and reordering pass through unchanged: a receiver has to be able to tell
//! loss from silence. Two things look like loss and are not, and the stream closes over them: that
//! the source was not heard for a while ([`Splice::interrupt`]), and a jump that no loss explains.

use std::time::Instant;

use crate::{
    limits::MAX_SEQUENCE_GAP,
    rtp::{OPUS_FRAME, RtpTime, SeqExt, opus_ticks},
};

/// A packet's place in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: SeqExt,
    pub(crate) time: RtpTime,
    /// The marker bit: the first packet of a talk spurt.
    pub(crate) marker: bool,
    /// By how many ticks the stream is ahead of the wall clock here; see [`Splice`]. A client's own
    /// stream never is.
    pub(crate) ahead: u32,
}

/// How the packets of the present source map to the stream.
#[derive(Debug, Clone)]
struct Run<S> {
    source: S,
    /// The stream's number minus the source's, modulo 2^64.
    seq_offset: u64,
    /// The stream's time minus the source's, modulo 2^32.
    time_offset: u32,
    /// By how much the source was ahead of the wall clock at its last packet.
    ahead: u32,
    /// The stream's first number of this run. What would come before it is older than the change of
    /// source; its numbers have been used.
    first: SeqExt,
}

/// One continuous stream, fed by changing sources of type `S`.
///
/// It is *ahead* of the wall clock when its timestamps have moved on by more than the time that has
/// passed since its first packet.
#[derive(Debug, Clone)]
pub(crate) struct Splice<S> {
    run: Option<Run<S>>,
    /// The stream's highest number and time so far: those *before* the first packet, at the start.
    last: (SeqExt, RtpTime),
    /// When the packet with the highest number passed.
    last_at: Option<Instant>,
    /// By how many ticks the stream is ahead of the wall clock, because a change of source took a
    /// whole frame's time although less had passed, or began with packets from before it. Later
    /// changes make up for it.
    ahead: u32,
}

impl<S: Copy + PartialEq> Splice<S> {
    /// A stream whose first packet has the number after `seq` and the time `time`.
    pub(crate) fn new(seq: SeqExt, time: RtpTime) -> Self {
        Self {
            run: None,
            last: (seq, time),
            last_at: None,
            ahead: 0,
        }
    }

    /// Notes that packets of the present source may pass unseen from now on: what comes next begins
    /// anew, even if it is of the same source.
    pub(crate) fn interrupt(&mut self) {
        self.run = None;
    }

    /// Whether the stream is of this source now, so that nothing begins with its next packet.
    pub(crate) fn carries(&self, source: S) -> bool {
        self.run.as_ref().is_some_and(|run| run.source == source)
    }

    /// Whether a packet that came at this time, before its source had its turn, may still be placed: it
    /// must not put the stream ahead of the wall clock by more than `budget` ticks.
    pub(crate) fn takes_early(&self, arrived: Instant, source: S, budget: u32) -> bool {
        let ahead = self
            .elapsed(arrived)
            .map_or(0, |elapsed| self.ahead_after(elapsed, self.step(elapsed)));
        self.carries(source) || ahead <= budget
    }

    /// The place in the stream of a packet of `source` that came at this time, or nothing if the
    /// packet is from before the source had its turn.
    pub(crate) fn place(&mut self, arrived: Instant, source: S, packet: Place) -> Option<Place> {
        let goes_on = self.run.as_ref().is_some_and(|run| {
            let seq = packet.seq.0.wrapping_add(run.seq_offset);
            // Modulo 2^64: what is behind looks far ahead, and is sorted out below.
            let gap = seq.wrapping_sub(self.last.0.0);
            run.source == source && (gap <= MAX_SEQUENCE_GAP || gap > i64::MAX as u64)
        });
        if !goes_on {
            self.begin(arrived, source, packet);
        }
        let run = self.run.as_mut()?;
        // What the source has moved ahead meanwhile, the stream has, too.
        self.ahead = (self.ahead + packet.ahead).saturating_sub(run.ahead);
        run.ahead = packet.ahead;
        let seq = SeqExt(packet.seq.0.wrapping_add(run.seq_offset));
        // Computed modulo 2^64, so a packet from before the run shows as a number below `first`, or
        // as one so large that it can only be negative.
        if seq < run.first || seq.0 > i64::MAX as u64 {
            return None;
        }
        let time = packet.time.plus(run.time_offset);
        if seq > self.last.0 {
            self.last = (seq, time);
            self.last_at = Some(arrived);
        }
        Some(Place {
            seq,
            time,
            marker: packet.marker || !goes_on,
            ahead: self.ahead,
        })
    }

    /// The time of the stream's latest packet, and when that came.
    pub(crate) fn latest(&self) -> Option<(RtpTime, Instant)> {
        self.last_at.map(|at| (self.last.1, at))
    }

    /// The time since the stream's last packet came, in ticks: negative for one that came before it,
    /// nothing where it is the first.
    fn elapsed(&self, arrived: Instant) -> Option<i64> {
        let last_at = self.last_at?;
        Some(match arrived.checked_duration_since(last_at) {
            Some(later) => opus_ticks(later).into(),
            None => -i64::from(opus_ticks(last_at - arrived)),
        })
    }

    /// How far a new source moves the stream on: at least one frame, since the stream's last packet
    /// fills that much of its receiver's time.
    fn step(&self, elapsed: i64) -> u32 {
        let due = elapsed - i64::from(self.ahead);
        u32::try_from(due).map_or(OPUS_FRAME, |due| due.max(OPUS_FRAME))
    }

    fn ahead_after(&self, elapsed: i64, step: u32) -> u32 {
        let ahead = i64::from(self.ahead) + i64::from(step) - elapsed;
        // `step` is at least `elapsed - ahead`; and a pre-roll is short.
        u32::try_from(ahead).unwrap_or(0)
    }

    fn begin(&mut self, arrived: Instant, source: S, packet: Place) {
        let (last_seq, last_time) = self.last;
        let first = last_seq.next();
        let time = match self.elapsed(arrived) {
            Some(elapsed) => {
                let step = self.step(elapsed);
                self.ahead = self.ahead_after(elapsed, step);
                last_time.plus(step)
            }
            None => last_time,
        };
        self.run = Some(Run {
            source,
            seq_offset: first.0.wrapping_sub(packet.seq.0),
            time_offset: time.since(packet.time),
            ahead: packet.ahead,
            first,
        });
    }
}

#[cfg(test)]
mod tests;
