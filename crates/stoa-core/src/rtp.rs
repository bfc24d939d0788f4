//! Sequence numbers and timestamps of RTP (RFC 3550, section 5.1) as types, so that no naked number
//! crosses a function.

use std::time::Duration;

/// The RTP clock of Opus, in ticks a second (RFC 7587, section 4.1).
pub(crate) const OPUS_CLOCK_RATE: u64 = 48_000;

/// The RTP time of one usual Opus frame of 20 ms.
pub(crate) const OPUS_FRAME: u32 = 960;

/// A sequence number together with its roll-over counter: it never wraps (RFC 3711, section 3.3.1
/// calls it the packet index; 48 bits of it are used).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeqExt(pub(crate) u64);

impl SeqExt {
    /// The next packet's number.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A timestamp as it stands in the RTP header: it wraps after about 25 hours of Opus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RtpTime(pub(crate) u32);

impl RtpTime {
    /// The timestamp `ticks` later.
    pub(crate) fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }

    /// How far this is behind `earlier`, in ticks, modulo the wrap.
    pub(crate) fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

/// A duration in ticks of the Opus clock, modulo the wrap of a timestamp.
pub(crate) fn opus_ticks(duration: Duration) -> u32 {
    // The cast keeps the low 32 bits on purpose: that is how an RTP timestamp wraps.
    (duration.as_micros() * u128::from(OPUS_CLOCK_RATE) / 1_000_000) as u32
}
