//! What listeners report of the lines they hear (RFC 3550, section 6.4).

use std::time::Duration;

use super::{
    line::Line,
    ntp::NtpTime,
    packet_type::{RECEIVER_REPORT, SENDER_REPORT},
};
use crate::{
    quality::{Loss, Measured, Reported},
    rtp::OPUS_CLOCK_RATE,
};

/// One report block, in bytes.
const BLOCK_BYTES: usize = 24;

/// How well a participant receives, by their own last reports. Over all lines, where it does not
/// say more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reception {
    /// Packets lost since the session began, duplicates taken off: it may be negative.
    pub packets_lost: i64,
    /// The part of packets lost between the last two reports, on the worst line, 0 to 1.
    pub fraction_lost: f32,
    /// The deviation of the packets' spacing on their way, on the worst line (RFC 3550, section
    /// 6.4.1).
    pub jitter: Duration,
    /// From here to the client and back, on the line that was reported last. Nothing before they
    /// have had a sender report.
    pub round_trip: Option<Duration>,
}

/// The last report on each line.
#[derive(Debug)]
pub(super) struct Receptions {
    lines: Box<[Option<Block>]>,
    round_trip: Option<Duration>,
    /// Since the last time that somebody asked.
    loss: Loss,
    is_new: bool,
}

/// A report block.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// In units of 1/256.
    fraction_lost: u8,
    packets_lost: i32,
    /// In ticks.
    jitter: u32,
    reported: Reported,
}

impl Receptions {
    pub(super) fn new(lines: usize) -> Self {
        Self {
            lines: (0..lines).map(|_| None).collect(),
            round_trip: None,
            loss: Loss::default(),
            is_new: false,
        }
    }

    /// Reads a compound packet. Whatever in it is malformed ends it.
    pub(super) fn read<'a>(
        &mut self,
        arrived: NtpTime,
        lines: impl Iterator<Item = &'a Line> + Clone,
        compound: &[u8],
    ) {
        let mut rest = compound;
        while let Some((header, _)) = rest.split_first_chunk::<4>() {
            let [first, packet_type, high, low] = *header;
            let bytes = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
            let Some((packet, after)) = rest.split_at_checked(bytes) else {
                return;
            };
            // Behind the header and the SSRC of who reports; in a sender's report also behind what
            // it says of itself.
            let blocks = match packet_type {
                RECEIVER_REPORT => packet.get(8..),
                SENDER_REPORT => packet.get(28..),
                _ => None,
            };
            let count = usize::from(first & 0x1f);
            let blocks = blocks.unwrap_or_default().chunks_exact(BLOCK_BYTES);
            blocks
                .take(count)
                .for_each(|block| self.take(arrived, lines.clone(), block));
            rest = after;
        }
    }

    fn take<'a>(&mut self, arrived: NtpTime, lines: impl Iterator<Item = &'a Line>, block: &[u8]) {
        let word = |at: usize| {
            let bytes = block[4 * at..].first_chunk();
            bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
        };
        let mut lines = lines.enumerate();
        let Some((index, line)) = lines.find(|(_, line)| line.ssrc() == word(0)) else {
            return;
        };
        let loss = word(1);
        // The lower 24 bits are a signed number.
        let packets_lost = (loss << 8) as i32 >> 8;
        let reported = Reported {
            highest: word(2).into(),
            lost: packets_lost.max(0).unsigned_abs().into(),
            skipped: line.skipped(),
        };
        let before = self.lines[index].replace(Block {
            fraction_lost: (loss >> 24) as u8,
            packets_lost,
            jitter: word(3),
            reported,
        });
        if let Some(before) = before {
            self.loss.add(before.reported, reported);
        }
        self.is_new = true;
        // When we sent the report that they had last, and how long they had it: zero if none.
        let (last_report, delay) = (word(4), word(5));
        if last_report != 0 {
            let round_trip = arrived
                .middle()
                .wrapping_sub(last_report)
                .wrapping_sub(delay);
            // Beyond half the range it is negative: their clock runs a little faster than ours.
            self.round_trip = Some(match round_trip < 1 << 31 {
                true => Duration::from_nanos((u64::from(round_trip) * 1_000_000_000) >> 16),
                false => Duration::ZERO,
            });
        }
    }

    /// Adds what was reported since the last call.
    pub(super) fn measure(&mut self, measured: &mut Measured) {
        if std::mem::take(&mut self.is_new) {
            measured.downlink_loss = std::mem::take(&mut self.loss).fraction();
            measured.round_trip = self.round_trip;
        }
    }

    /// All lines together. Nothing before the first report.
    pub(super) fn all(&self) -> Option<Reception> {
        let reported = || self.lines.iter().flatten();
        let fraction_lost = reported().map(|line| line.fraction_lost).max()?;
        let jitter = u64::from(reported().map(|line| line.jitter).max()?);
        Some(Reception {
            packets_lost: reported().map(|line| i64::from(line.packets_lost)).sum(),
            fraction_lost: f32::from(fraction_lost) / 256.0,
            jitter: Duration::from_nanos(jitter * 1_000_000_000 / OPUS_CLOCK_RATE),
            round_trip: self.round_trip,
        })
    }
}
