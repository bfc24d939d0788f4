//! What the peers of one group have counted.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{histogram::Histogram, reception::Arrival};

/// Why peers failed is told in at most so many different words.
const MOST_REASONS: usize = 16;

/// Counts of one group, on one thread or on all, for a second or for the whole time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Peers that are connected now.
    pub(crate) connected: u64,
    /// For how long peers have been listening, added up.
    pub(crate) listened: Duration,
    /// Packets that should have come.
    pub(crate) expected: u64,
    /// Packets that came, each once.
    pub(crate) received: u64,
    /// Of those, the ones that came too late to be played.
    pub(crate) late: u64,
    /// Of those, the ones that came behind a later one.
    pub(crate) reordered: u64,
    /// Further copies.
    pub(crate) duplicate: u64,
    /// Times that another speaker took a stream.
    pub(crate) slot_changes: u64,
    /// Bytes of all RTP packets.
    pub(crate) bytes: u64,
    /// Packets that were decrypted and looked at.
    pub(crate) checked: u64,
    /// Of those: not what any speaker has said.
    pub(crate) corrupt: u64,
    /// Of those: the listener's own voice.
    pub(crate) own_voice: u64,
    /// Of those: said to be somebody else's.
    pub(crate) wrong_voice: u64,
    /// Of those: of somebody whose right to speak had been taken away before they said it.
    pub(crate) forbidden: u64,
    /// Packets that peers have sent, with a voice or in silence.
    pub(crate) spoken: u64,
    /// From the speaker's writing to the listener's kernel.
    pub(crate) latency: Histogram,
    /// How much of the beginning of a talk-spurt was not heard.
    pub(crate) onset: Histogram,
    /// From the offer to ICE and DTLS being done.
    pub(crate) connect: Histogram,
    /// From the offer to the first audio.
    pub(crate) join: Histogram,
    /// Sessions that failed or were ended by the server, and why.
    pub(crate) failed: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts an RTP packet of so many bytes.
    pub(crate) fn arrived(&mut self, arrival: Arrival, bytes: usize) {
        self.expected += arrival.expected;
        self.received += u64::from(arrival.received);
        self.late += u64::from(arrival.late);
        self.reordered += u64::from(arrival.reordered);
        self.duplicate += u64::from(arrival.duplicate);
        self.slot_changes += u64::from(arrival.changed);
        self.bytes += bytes as u64;
    }

    /// Counts a session that failed.
    pub(crate) fn failed(&mut self, why: String) {
        let why = match self.failed.len() < MOST_REASONS || self.failed.contains_key(&why) {
            true => why,
            false => "other reasons".to_owned(),
        };
        *self.failed.entry(why).or_default() += 1;
    }

    /// Adds what others of the group, or the same ones in another second, have counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.connected += other.connected;
        self.add(other);
    }

    /// The same, of a later time: how many are connected is as it is then.
    pub(crate) fn follow(&mut self, later: &Self) {
        self.connected = later.connected;
        self.add(later);
    }

    fn add(&mut self, other: &Self) {
        self.listened += other.listened;
        self.expected += other.expected;
        self.received += other.received;
        self.late += other.late;
        self.reordered += other.reordered;
        self.duplicate += other.duplicate;
        self.slot_changes += other.slot_changes;
        self.bytes += other.bytes;
        self.checked += other.checked;
        self.corrupt += other.corrupt;
        self.own_voice += other.own_voice;
        self.wrong_voice += other.wrong_voice;
        self.forbidden += other.forbidden;
        self.spoken += other.spoken;
        self.latency.merge(&other.latency);
        self.onset.merge(&other.onset);
        self.connect.merge(&other.connect);
        self.join.merge(&other.join);
        for (why, count) in &other.failed {
            *self.failed.entry(why.clone()).or_default() += count;
        }
    }

    /// Packets that should have come and have not. What comes behind a second's end makes up for it in the
    /// next second, so that this may be less than none.
    pub(crate) fn lost(&self) -> i64 {
        self.expected.cast_signed() - self.received.cast_signed()
    }

    /// How many of 100 packets were lost.
    pub(crate) fn loss_percent(&self) -> f64 {
        match self.expected {
            0 => 0.0,
            expected => 100.0 * self.lost().max(0) as f64 / expected as f64,
        }
    }

    /// Milliseconds of audio that a listener missed in each minute: 20 for each packet that was lost or late.
    pub(crate) fn gap_ms_per_minute(&self) -> f64 {
        let minutes = self.listened.as_secs_f64() / 60.0;
        match minutes > 0.0 {
            true => 20.0 * (self.lost().max(0) as f64 + self.late as f64) / minutes,
            false => 0.0,
        }
    }
}
