//! AES-128 in counter mode with HMAC-SHA1 of 80 bits (RFC 3711, sections 4.1.1 and 4.2.1).
//!
//! aws-lc keeps 1.2 KiB for an HMAC key and copies it for each packet. The HMAC here is 170 bytes,
//! has the state after the key's block ready, and uses the processor's SHA instructions, too.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::{
    RTCP_CLEAR_BYTES, RTCP_ENCRYPTED, RTCP_INDEX_BYTES, SealError,
    aes_cm::AesCm,
    derive::{Label, MasterKey, Purpose},
    rtcp_ssrc, rtp_ssrc,
};

/// The length of a tag, in bytes.
pub(super) const TAG_BYTES: usize = 10;

/// The session keys: of the cipher, and of the authentication.
pub(super) struct CtrHmac {
    cipher: AesCm,
    hmac: Hmac<Sha1>,
    salt: [u8; 14],
}

impl CtrHmac {
    pub(super) fn derive(master: &MasterKey, purpose: Purpose) -> Result<Self, SealError> {
        let key = master.derive::<16>(purpose, Label::Cipher)?;
        let authentication = master.derive::<20>(purpose, Label::Authentication)?;
        let salt = *master.derive(purpose, Label::Salt)?;
        Self::new(key.as_slice(), authentication.as_slice(), salt)
    }

    pub(super) fn new(
        key: &[u8],
        authentication: &[u8],
        salt: [u8; 14],
    ) -> Result<Self, SealError> {
        Ok(Self {
            cipher: AesCm::new(key)?,
            hmac: Hmac::new_from_slice(authentication).map_err(|_| SealError::Library)?,
            salt,
        })
    }

    /// The counter with which a packet begins: salt, SSRC and index in their places, and 16 bits
    /// that count the packet's blocks.
    fn counter(&self, ssrc: [u8; 4], index: u64) -> [u8; 16] {
        let mut counter = [0; 16];
        counter[4..8].copy_from_slice(&ssrc);
        counter[8..14].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in counter.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        counter
    }

    pub(super) fn seal_rtp(
        &self,
        payload: &[u8],
        packet: &mut [u8],
        header: usize,
        index: u64,
    ) -> Result<(), SealError> {
        let counter = self.counter(rtp_ssrc(packet), index);
        let (sealed, tag) = packet
            .split_last_chunk_mut::<TAG_BYTES>()
            .ok_or(SealError::Length)?;
        sealed[header..].copy_from_slice(payload);
        self.cipher.apply(counter, &mut sealed[header..])?;
        let mut hmac = self.hmac.clone();
        hmac.update(sealed);
        // The roll-over counter is authenticated and not sent (section 4.2).
        hmac.update(&index.to_be_bytes()[2..6]);
        tag.copy_from_slice(&hmac.finalize().into_bytes()[..TAG_BYTES]);
        Ok(())
    }

    /// `word` is the E flag and the index.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, word: u32) -> Result<(), SealError> {
        let counter = self.counter(rtcp_ssrc(packet), (word & !RTCP_ENCRYPTED).into());
        self.cipher
            .apply(counter, &mut packet[RTCP_CLEAR_BYTES..])?;
        packet.extend_from_slice(&word.to_be_bytes());
        let hmac = self.hmac.clone().chain_update(&*packet);
        packet.extend_from_slice(&hmac.finalize().into_bytes()[..TAG_BYTES]);
        Ok(())
    }

    /// Returns the E flag and the index. The packet is long enough for both and a tag.
    pub(super) fn open_rtcp(&self, packet: &[u8], out: &mut Vec<u8>) -> Result<u32, SealError> {
        let (rest, tag) = packet
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(SealError::Length)?;
        let hmac = self.hmac.clone().chain_update(rest);
        hmac.verify_truncated_left(tag)
            .map_err(|_| SealError::NotAuthentic)?;
        let (body, word) = rest
            .split_last_chunk::<RTCP_INDEX_BYTES>()
            .ok_or(SealError::Length)?;
        let word = u32::from_be_bytes(*word);
        out.extend_from_slice(body);
        if word & RTCP_ENCRYPTED != 0 {
            let counter = self.counter(rtcp_ssrc(packet), (word & !RTCP_ENCRYPTED).into());
            self.cipher.apply(counter, &mut out[RTCP_CLEAR_BYTES..])?;
        }
        Ok(word)
    }
}
