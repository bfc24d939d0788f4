//! AES-GCM with 128 and 256 bits (RFC 7714).
//!
//! From ring, whose keys are values without a pointer, so that those of all listeners stand side by side.
//! aws-lc has each on its heap, and to find 20,000 of them there costs more than to use them
//! (docs/adr/0008). ring does not clear a key that is no longer used; that is done here.

use std::hint;

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::{
    RTCP_CLEAR_BYTES, RTCP_ENCRYPTED, RTCP_INDEX_BYTES, SealError,
    derive::{Label, MasterKey, Purpose},
    profile::{MAX_KEY_BYTES, Profile},
    rtcp_ssrc, rtp_ssrc,
};

/// The length of a tag, in bytes.
pub(super) const TAG_BYTES: usize = 16;

/// A session key with what the cipher makes of it, 544 bytes. Cleared where it is dropped; what has been
/// moved has to be cleared before ([`Gcm::clear`]).
pub(super) struct Gcm {
    /// "Less safe", because nonces are ours. SRTP says what they have to be.
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Gcm {
    pub(super) fn derive(master: &MasterKey, purpose: Purpose) -> Result<Self, SealError> {
        let salt = *master.derive(purpose, Label::Salt)?;
        if master.profile() == Profile::AeadAes128Gcm {
            let key = master.derive::<16>(purpose, Label::Cipher)?;
            Self::new(key.as_slice(), salt)
        } else {
            let key = master.derive::<32>(purpose, Label::Cipher)?;
            Self::new(key.as_slice(), salt)
        }
    }

    /// From a session key of 16 or 32 bytes.
    pub(super) fn new(key: &[u8], salt: [u8; 12]) -> Result<Self, SealError> {
        let algorithm = if key.len() == 16 {
            &AES_128_GCM
        } else {
            &AES_256_GCM
        };
        let key = UnboundKey::new(algorithm, key).map_err(|_| SealError::Library)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            salt,
        })
    }

    /// Puts the key that is all zeros in this one's place. Nothing may be sealed after.
    pub(super) fn clear(&mut self) {
        let algorithm = self.key.algorithm();
        let zeros = [0; MAX_KEY_BYTES];
        if let Ok(key) = UnboundKey::new(algorithm, &zeros[..algorithm.key_len()]) {
            self.key = LessSafeKey::new(key);
        }
        self.salt = [0; 12];
        // Or the compiler would see that nobody reads it again, and not write it.
        hint::black_box(self);
    }

    /// Section 8.1 for RTP, whose index has 48 bits; section 9.1 for RTCP, where it has 31.
    fn nonce(&self, ssrc: [u8; 4], index: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&ssrc);
        nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in nonce.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    pub(super) fn seal_rtp(
        &self,
        payload: &[u8],
        packet: &mut [u8],
        header: usize,
        index: u64,
    ) -> Result<(), SealError> {
        let nonce = self.nonce(rtp_ssrc(packet), index);
        let (header, rest) = packet.split_at_mut(header);
        let (sealed, tag) = rest
            .split_last_chunk_mut::<TAG_BYTES>()
            .ok_or(SealError::Length)?;
        sealed.copy_from_slice(payload);
        let sealed_tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&*header), sealed)
            .map_err(|_| SealError::Library)?;
        tag.copy_from_slice(sealed_tag.as_ref());
        Ok(())
    }

    /// `word` is the E flag and the index.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, word: u32) -> Result<(), SealError> {
        let nonce = self.nonce(rtcp_ssrc(packet), (word & !RTCP_ENCRYPTED).into());
        let mut aad = [0; RTCP_CLEAR_BYTES + RTCP_INDEX_BYTES];
        aad[..RTCP_CLEAR_BYTES].copy_from_slice(&packet[..RTCP_CLEAR_BYTES]);
        aad[RTCP_CLEAR_BYTES..].copy_from_slice(&word.to_be_bytes());
        let body = &mut packet[RTCP_CLEAR_BYTES..];
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), body)
            .map_err(|_| SealError::Library)?;
        packet.extend_from_slice(tag.as_ref());
        packet.extend_from_slice(&word.to_be_bytes());
        Ok(())
    }

    /// Returns the E flag and the index. The packet is long enough for both and a tag.
    pub(super) fn open_rtcp(&self, packet: &[u8], out: &mut Vec<u8>) -> Result<u32, SealError> {
        let (rest, word_bytes) = packet
            .split_last_chunk::<RTCP_INDEX_BYTES>()
            .ok_or(SealError::Length)?;
        let (body, tag) = rest
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(SealError::Length)?;
        let word = u32::from_be_bytes(*word_bytes);
        // Section 9.3: of a packet that is not encrypted, all is additional data.
        let clear = match word & RTCP_ENCRYPTED {
            0 => body.len(),
            _ => RTCP_CLEAR_BYTES,
        };
        let nonce = self.nonce(rtcp_ssrc(packet), (word & !RTCP_ENCRYPTED).into());
        out.extend_from_slice(&body[..clear]);
        out.extend_from_slice(word_bytes);
        out.extend_from_slice(&body[clear..]);
        let (aad, plain) = out.split_at_mut(clear + RTCP_INDEX_BYTES);
        self.key
            .open_in_place_separate_tag(nonce, Aad::from(&*aad), (*tag).into(), plain, 0..)
            .map_err(|_| SealError::NotAuthentic)?;
        // It stood between the two, for the library to see the additional data as one.
        out.drain(clear..clear + RTCP_INDEX_BYTES);
        Ok(word)
    }
}

impl Drop for Gcm {
    fn drop(&mut self) {
        self.clear();
    }
}
