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

use crate::ClientId;

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
    /// Whom it wants to hear.
    pub choice: Timeline<Subscription>,
    /// Which of its packets did not reach the node, or did so after a later one; and when that
    /// was seen.
    pub missing: BTreeMap<u32, Duration>,
    /// Packets to it that the network lost, or that came when it had gone.
    pub lost: Vec<SentPacket>,
    /// Packets that came to it, and it heard nothing: no duplicates among them.
    pub unheard: Vec<SentPacket>,
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

/// Something that is decided anew from time to time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T>(Vec<(u64, T)>);

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Timeline<T> {
    /// Notes that it is so from now on: after the datagram of this number.
    pub fn decide(&mut self, datagram: u64, value: T) {
        if self.last() != Some(&value) {
            self.0.push((datagram, value));
        }
    }

    /// How it is now, if it ever was decided.
    pub fn last(&self) -> Option<&T> {
        self.0.last().map(|(_, value)| value)
    }

    /// How it was when the datagram of this number was sent, if it had been decided by then.
    pub fn when_sent(&self, datagram: u64) -> Option<&T> {
        let before = self.0.partition_point(|&(since, _)| since < datagram);
        before.checked_sub(1).map(|last| &self.0[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_counts_for_what_is_sent_after_it() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.when_sent(1), None);
        timeline.decide(0, true);
        timeline.decide(7, true);
        timeline.decide(7, false);
        assert_eq!(timeline.when_sent(1), Some(&true));
        assert_eq!(timeline.when_sent(7), Some(&true));
        assert_eq!(timeline.when_sent(8), Some(&false));
        assert_eq!(timeline.last(), Some(&false));
    }
}
