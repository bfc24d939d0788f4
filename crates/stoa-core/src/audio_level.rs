//! Audio levels as packets carry them (RFC 6464).

/// An audio level in -dBov (RFC 6464, section 3): 0 is the loudest, 127 is silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioLevel(u8);

impl AudioLevel {
    /// No sound at all.
    pub const SILENCE: Self = Self(127);

    /// From -dBov; what is beyond 127 is silence.
    pub const fn from_minus_dbov(value: u8) -> Self {
        Self(if value > 127 { 127 } else { value })
    }

    /// In -dBov: 0 is the loudest, 127 is silence.
    pub const fn minus_dbov(self) -> u8 {
        self.0
    }
}

/// What a packet says of itself (RFC 6464, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LevelExtension {
    pub(crate) level: AudioLevel,
    /// The client's own opinion whether this is voice.
    pub(crate) voice: bool,
}
