//! What `fuzz/` needs of the packet path beyond the crate's interface: single parsers, and a client whose
//! packets can be written byte by byte and are authentic all the same. No part of the interface.
//!
//! It is there without a feature of its own: with one, the tests of the whole workspace and the daemon beside
//! them would be two builds of this crate and of all that use it.

use std::time::Instant;

use str0m::{Rtc, RtcConfig};

use crate::{
    red::Payload,
    seal::{RtcpSealer, RtpSealer},
    session::keys::{self, PendingKeys},
};

/// The Opus packet in a RED payload whose every block has to be Opus under this payload type.
pub fn primary_of_red(payload: &[u8], opus_type: u8) -> Option<Vec<u8>> {
    let payload = Payload::redundant(payload.into(), opus_type).ok()?;
    Some(payload.opus.to_vec())
}

/// A client's session, and where its SRTP keys will arrive.
pub fn client(config: RtcConfig, now: Instant) -> (Rtc, ClientKeys) {
    let config = config.set_crypto_provider(keys::crypto().into());
    let (rtc, keys) = keys::build(config, now);
    (rtc, ClientKeys(keys))
}

/// The keys of a client's session, when DTLS is done.
pub struct ClientKeys(PendingKeys);

impl ClientKeys {
    /// What seals by them, once.
    pub fn take(&mut self) -> Option<ClientSealer> {
        let keys = self.0.take()?;
        Some(ClientSealer {
            rtp: RtpSealer::new(&keys.local).ok()?,
            rtcp: RtcpSealer::new(&keys.local).ok()?,
        })
    }
}

/// Seals as a client whatever it is told to.
pub struct ClientSealer {
    rtp: RtpSealer,
    rtcp: RtcpSealer,
}

impl ClientSealer {
    /// The SRTP packet of this header and payload, with `index` (RFC 3711, section 3.3.1), whose lower half
    /// stands in the header. Nothing where the header has not twelve bytes.
    pub fn rtp(&self, header: &[u8], payload: &[u8], index: u64) -> Option<Vec<u8>> {
        let mut packet = header.to_vec();
        packet.resize(header.len() + payload.len() + self.rtp.overhead(), 0);
        let sealed = self.rtp.seal(payload, &mut packet, header.len(), index);
        sealed.ok().map(|()| packet)
    }

    /// The SRTCP packet of these packets. Nothing where there are not eight bytes.
    pub fn rtcp(&mut self, compound: &[u8]) -> Option<Vec<u8>> {
        let mut packet = compound.to_vec();
        self.rtcp.seal(&mut packet).ok().map(|()| packet)
    }
}
