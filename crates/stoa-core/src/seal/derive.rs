//! From a master key to the session keys (RFC 3711, section 4.3).

use std::fmt;

use zeroize::Zeroizing;

use super::{
    SealError,
    aes_cm::AesCm,
    profile::{MAX_KEY_BYTES, MAX_SALT_BYTES, Profile},
};

/// What a session key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Rtp,
    Rtcp,
}

/// Which of the session keys (RFC 3711, section 4.3.2: the labels of SRTP; SRTCP's are three more).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Label {
    Cipher = 0,
    Authentication = 1,
    Salt = 2,
}

/// The master key of one direction. Cleared when it is dropped.
pub(crate) struct MasterKey {
    profile: Profile,
    key: Zeroizing<[u8; MAX_KEY_BYTES]>,
    salt: Zeroizing<[u8; MAX_SALT_BYTES]>,
}

impl MasterKey {
    /// `key` and `salt` have the lengths that the profile asks for.
    pub(super) fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Self {
        let mut master = Self {
            profile,
            key: Zeroizing::new([0; MAX_KEY_BYTES]),
            salt: Zeroizing::new([0; MAX_SALT_BYTES]),
        };
        master.key[..key.len()].copy_from_slice(key);
        // RFC 7714, section 11: a salt of 96 bits gets 16 zero bits at its end.
        master.salt[..salt.len()].copy_from_slice(salt);
        master
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// The pseudo-random function of RFC 3711, section 4.3.3. One derivation for all time: a key
    /// derivation rate other than 0 cannot be negotiated with DTLS.
    pub(super) fn derive<const N: usize>(
        &self,
        purpose: Purpose,
        label: Label,
    ) -> Result<Zeroizing<[u8; N]>, SealError> {
        let label = label as u8
            + match purpose {
                Purpose::Rtp => 0,
                Purpose::Rtcp => 3,
            };
        let mut iv = [0; 16];
        iv[..MAX_SALT_BYTES].copy_from_slice(self.salt.as_slice());
        iv[7] ^= label;
        let mut out = Zeroizing::new([0; N]);
        let cipher = AesCm::new(&self.key[..self.profile.key_bytes()])?;
        cipher.apply(iv, out.as_mut_slice())?;
        Ok(out)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
