//! AES in counter mode (RFC 3711, section 4.1.1): the cipher of one profile, and what all of them
//! derive their keys with.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};

use super::SealError;

/// A key schedule for counter mode. aws-lc clears it when it is dropped.
pub(super) struct AesCm(EncryptingKey);

impl AesCm {
    /// From a key of 16 or 32 bytes.
    pub(super) fn new(key: &[u8]) -> Result<Self, SealError> {
        let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
        UnboundCipherKey::new(algorithm, key)
            .and_then(EncryptingKey::ctr)
            .map(Self)
            .map_err(|_| SealError::Library)
    }

    /// Adds the key stream that begins at the counter `iv`; once more, it takes it away.
    pub(super) fn apply(&self, iv: [u8; 16], in_out: &mut [u8]) -> Result<(), SealError> {
        let context = EncryptionContext::Iv128((&iv).into());
        // "Less safe", because the counter is the caller's choice. SRTP says what it has to be.
        let applied = self.0.less_safe_encrypt(in_out, context);
        applied.map(|_| ()).map_err(|_| SealError::Library)
    }
}
