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
}

/// How the packets of the present source map to the stream.
#[derive(Debug, Clone)]
struct Run<S> {
    source: S,
    /// The stream's number minus the source's, modulo 2^64.
    seq_offset: u64,
    /// The stream's time minus the source's, modulo 2^32.
    time_offset: u32,
    /// The stream's first number of this run. What would come before it is older than the change of
    /// source; its numbers have been used.
    first: SeqExt,
}

/// One continuous stream, fed by changing sources of type `S`.
#[derive(Debug, Clone)]
pub(crate) struct Splice<S> {
    run: Option<Run<S>>,
    /// The stream's highest number and time so far: those *before* the first packet, at the start.
    last: (SeqExt, RtpTime),
    /// When the packet with the highest number passed.
    last_at: Option<Instant>,
    /// By how many ticks the stream is ahead of the wall clock, because a change of source took a
    /// whole frame's time although less had passed. Later changes make up for it.
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

    /// The place in the stream of a packet of `source`, or nothing if the packet is from before the
    /// source had its turn.
    pub(crate) fn place(&mut self, now: Instant, source: S, packet: Place) -> Option<Place> {
        let goes_on = self.run.as_ref().is_some_and(|run| {
            let seq = packet.seq.0.wrapping_add(run.seq_offset);
            // Modulo 2^64: what is behind looks far ahead, and is sorted out below.
            let gap = seq.wrapping_sub(self.last.0.0);
            run.source == source && (gap <= MAX_SEQUENCE_GAP || gap > i64::MAX as u64)
        });
        if !goes_on {
            self.begin(now, source, packet);
        }
        let run = self.run.as_ref()?;
        let seq = SeqExt(packet.seq.0.wrapping_add(run.seq_offset));
        // Computed modulo 2^64, so a packet from before the run shows as a number below `first`, or
        // as one so large that it can only be negative.
        if seq < run.first || seq.0 > i64::MAX as u64 {
            return None;
        }
        let time = packet.time.plus(run.time_offset);
        if seq > self.last.0 {
            self.last = (seq, time);
            self.last_at = Some(now);
        }
        Some(Place {
            seq,
            time,
            marker: packet.marker || !goes_on,
        })
    }

    fn begin(&mut self, now: Instant, source: S, packet: Place) {
        let (last_seq, last_time) = self.last;
        let first = last_seq.next();
        let time = match self.last_at {
            // At least one frame: the stream's last packet fills that much of its receiver's time.
            Some(at) => {
                let elapsed = opus_ticks(now.saturating_duration_since(at));
                let step = elapsed.saturating_sub(self.ahead).max(OPUS_FRAME);
                self.ahead = self.ahead.saturating_add(step).saturating_sub(elapsed);
                last_time.plus(step)
            }
            None => last_time,
        };
        self.run = Some(Run {
            source,
            seq_offset: first.0.wrapping_sub(packet.seq.0),
            time_offset: time.since(packet.time),
            first,
        });
    }
}

#[cfg(test)]
mod tests;
