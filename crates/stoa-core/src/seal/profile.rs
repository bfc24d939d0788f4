//! The ways to protect SRTP that are spoken here.

use str0m::crypto::dtls::SrtpProfile;

/// An SRTP protection profile (RFC 5764, section 4.1.2; RFC 7714, section 14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80`.
    Aes128CmSha1_80,
    /// `SRTP_AEAD_AES_128_GCM`.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`.
    AeadAes256Gcm,
}

/// The longest master or session key of any profile, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 32;

/// The longest salt of any profile, in bytes.
pub(super) const MAX_SALT_BYTES: usize = 14;

impl Profile {
    /// The profile that DTLS has negotiated, if it is one of these. str0m offers no other.
    pub(crate) fn from_dtls(profile: SrtpProfile) -> Option<Self> {
        match profile {
            SrtpProfile::AES128_CM_SHA1_80 => Some(Self::Aes128CmSha1_80),
            SrtpProfile::AEAD_AES_128_GCM => Some(Self::AeadAes128Gcm),
            SrtpProfile::AEAD_AES_256_GCM => Some(Self::AeadAes256Gcm),
            _ => None,
        }
    }

    /// The length of master and session keys, in bytes.
    pub(super) const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// The length of master and session salts, in bytes.
    pub(super) const fn salt_bytes(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }
}
