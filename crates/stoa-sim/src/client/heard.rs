//! What a client has received.

use std::time::Duration;

use stoa_core::Csrc;
use str0m::rtp::RtpPacket;

use crate::ClientId;

/// A packet that a client has received.
pub struct Heard {
    /// When, since the beginning of the run.
    pub at: Duration,
    /// When the node sent it.
    pub left: Duration,
    /// The number of the datagram that it came in (see [`History`](crate::history::History)).
    pub datagram: u64,
    /// Which of the client's audio lines, counted from 0.
    pub line: usize,
    /// Whether it carries redundancy (RFC 2198).
    pub redundant: bool,
    /// The packet, decrypted, with its extended sequence number.
    pub packet: RtpPacket,
}

impl Heard {
    /// Whose voice this is, as the payload says.
    pub fn sender(&self) -> ClientId {
        let payload = self.opus();
        usize::from(u16::from_le_bytes([payload[0], payload[1]]))
    }

    /// The Opus packet: what stands behind the redundancy, where there is some.
    ///
    /// # Panics
    /// If the payload is not what a client here has sent.
    pub fn opus(&self) -> &[u8] {
        let payload = &self.packet.payload[..];
        match (self.redundant, payload[0] & 0x80) {
            (false, _) => payload,
            (true, 0) => &payload[1..],
            (true, _) => {
                let length = usize::from(payload[2] & 3) << 8 | usize::from(payload[3]);
                &payload[5 + length..]
            }
        }
    }

    /// The how-manieth packet of its sender this is.
    pub fn number(&self) -> u32 {
        let bytes = &self.opus()[2..5];
        bytes
            .iter()
            .fold(0, |number, &byte| number << 8 | u32::from(byte))
    }

    /// Who speaks, as the packet's header says.
    ///
    /// # Panics
    /// If it names none, or more than one.
    pub fn csrc(&self) -> Csrc {
        self.only_csrc().expect("the packet names one speaker")
    }

    /// Who speaks, if the packet's header names exactly one.
    pub fn only_csrc(&self) -> Option<Csrc> {
        let header = &self.packet.header;
        (header.csrc_count == 1).then(|| Csrc(header.csrc[0]))
    }
}
