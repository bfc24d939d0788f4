//! What happened in a run, as far as somebody needs to know who judges it.
//!
//! A [`History`] is plain data: [`Net::history`](crate::Net::history) makes one of a run, a test can
//! write one by hand. The oracles take nothing else.
//!
//! # Before and after
//!
//! Much happens at the same virtual moment, so times do not say what was first. Every datagram has a
//! number, counted from 1 in the order in which they were sent, whoever sent them; and what is decided
//! between two datagrams has the number of the earlier one. A datagram was sent after a decision if
//! its number is greater.

use std::{collections::BTreeMap, time::Duration};

use stoa_core::{Csrc, ParticipantId, RoomId, Subscription};

use crate::{ClientId, sealed::Reuse};

/// What happened in a run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The clients, in the order of their numbers.
    pub members: Vec<Member>,
    /// All that was heard: the listeners in their order, and of each what it heard, in the order in
    /// which it came.
    pub heard: Vec<Packet>,
    /// How many voices each room lets be heard at the same time.
    pub slots: BTreeMap<RoomId, Timeline<usize>>,
    /// By how much the arrival of packets at the node differed at most from how they were sent.
    pub spread: Duration,
    /// How long something takes at most from one worker to another.
    pub between_workers: Duration,
}

/// One client, and what the signalling service has decided about it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub participant: ParticipantId,
    /// Where it is.
    pub room: RoomId,
    /// What names it in the packets that others hear.
    pub csrc: Csrc,
    /// Whether it may be heard: nothing before it is admitted, never after it has left.
    pub may_speak: Timeline<bool>,
    /// Whether it is in the room.
    pub is_in: Timeline<bool>,
    /// Where it may be heard until it leaves by itself: when its room was told of that.
    pub spoke_until: Option<Duration>,
    /// Whether its seat is at another worker than the home of its room.
    pub is_seated_elsewhere: bool,
    /// Whom it wants to hear.
    pub choice: Timeline<Subscription>,
    /// Which of its packets did not reach the node, or did so after a later one; and when that
    /// was seen.
    pub missing: BTreeMap<u32, Duration>,
    /// Packets to it that the network lost, or that came when it had gone.
    pub lost: Vec<SentPacket>,
    /// Packets that came to it, and it heard nothing: no duplicates among them.
    pub unheard: Vec<SentPacket>,
    /// What was sealed for it under an index that had been used before, and when.
    pub reused: Vec<(Duration, Reuse)>,
}

impl History {
    /// How much later somebody's seat may know what the home of their room has decided.
    pub fn lag(&self, member: &Member) -> Duration {
        match member.is_seated_elsewhere {
            true => self.between_workers,
            false => Duration::ZERO,
        }
    }
}

/// An RTP packet of the node, as the network sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentPacket {
    /// When it was sent.
    pub left: Duration,
    /// The stream.
    pub ssrc: u32,
    /// Its sequence number on the wire.
    pub sequence_number: u16,
    /// Whose voice it carried.
    pub csrc: Option<Csrc>,
}

/// An RTP packet that somebody heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// By whom.
    pub listener: ClientId,
    /// On which of its lines, counted from 0.
    pub line: usize,
    /// Whose voice it carries, as the payload says.
    pub sender: ClientId,
    /// The how-manieth packet of its sender it is, counted from 0, as the payload says.
    pub number: u32,
    /// Who speaks, as the header says; nothing if it does not name exactly one.
    pub csrc: Option<Csrc>,
    /// The stream.
    pub ssrc: u32,
    /// Its sequence number, with the roll-overs counted.
    pub seq: u64,
    /// Its RTP time.
    pub time: u32,
    /// The marker bit.
    pub marker: bool,
    /// The number of the datagram.
    pub datagram: u64,
    /// When the node sent it.
    pub left: Duration,
    /// When it arrived.
    pub at: Duration,
}

/// When something is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// After the datagram of this number.
    pub datagram: u64,
    /// Since the beginning of the run.
    pub at: Duration,
}

/// Something that is decided anew from time to time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T>(Vec<(Moment, T)>);

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Timeline<T> {
    /// Notes that it is so from now on.
    pub fn decide(&mut self, moment: Moment, value: T) {
        if self.last() != Some(&value) {
            self.0.push((moment, value));
        }
    }

    /// How it is now, if it ever was decided.
    pub fn last(&self) -> Option<&T> {
        self.0.last().map(|(_, value)| value)
    }

    /// How it was when the datagram of this number was sent, if it had been decided by then.
    pub fn when_sent(&self, datagram: u64) -> Option<&T> {
        let before = self.decided_before(datagram);
        before.checked_sub(1).map(|last| &self.0[last].1)
    }

    /// How it was when a datagram of this number was sent, at `left`, and at any moment during the `lag`
    /// before; the latest first. With no lag, nothing but how it was when it was sent.
    pub fn lately(&self, datagram: u64, left: Duration, lag: Duration) -> impl Iterator<Item = &T> {
        let since = left.saturating_sub(lag);
        let decided = self.0[..self.decided_before(datagram)].iter().rev();
        // What was decided before the lag was in force when it began.
        let mut is_all = false;
        let lately = decided.take_while(move |(moment, _)| {
            !std::mem::replace(&mut is_all, lag.is_zero() || moment.at < since)
        });
        lately.map(|(_, value)| value)
    }

    fn decided_before(&self, datagram: u64) -> usize {
        self.0
            .partition_point(|(moment, _)| moment.datagram < datagram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(datagram: u64) -> Moment {
        let at = Duration::from_millis(datagram);
        Moment { datagram, at }
    }

    #[test]
    fn a_decision_counts_for_what_is_sent_after_it() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.when_sent(1), None);
        timeline.decide(after(0), true);
        timeline.decide(after(7), true);
        timeline.decide(after(7), false);
        assert_eq!(timeline.when_sent(1), Some(&true));
        assert_eq!(timeline.when_sent(7), Some(&true));
        assert_eq!(timeline.when_sent(8), Some(&false));
        assert_eq!(timeline.last(), Some(&false));
    }

    #[test]
    fn what_held_lately_is_what_was_decided_then_and_the_one_before() {
        let mut timeline = Timeline::default();
        for datagram in [0, 10, 20, 30] {
            timeline.decide(after(datagram), datagram);
        }
        let lately = |datagram, lag| -> Vec<u64> {
            let [left, lag] = [datagram, lag].map(Duration::from_millis);
            timeline.lately(datagram, left, lag).copied().collect()
        };
        assert_eq!(lately(31, 0), [30]);
        assert_eq!(lately(31, 1), [30, 20]);
        assert_eq!(lately(30, 15), [20, 10]);
        assert_eq!(lately(9, 9), [0]);
        assert_eq!(lately(0, 1), []);
    }
}
