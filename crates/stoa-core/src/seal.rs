//! SRTP for what the direct path sends (RFC 3711, RFC 7714), and for the reports that come back.
//!
//! A session of str0m has its own SRTP. The direct path encrypts beside it with the same keys, so
//! the two must never use one SSRC in one direction: with AES-GCM, a key, SSRC and index that are
//! used twice give the key away. Who may use which SSRC is decided in `session::negotiate`, and
//! `egress::direct` sees to it that no index of an SSRC is sealed twice. Here is only the
//! arithmetic, and nothing is remembered but keys and the index of reports.
//!
//! The key schedules are made once for each listener and nothing is allocated for a packet. AES in
//! counter mode is aws-lc's, AES-GCM is ring's; both use the processor's instructions. Keys are cleared
//! when they are no longer used, by aws-lc its own and by `gcm` ring's, and so is what is derived on the
//! way there. What is moved leaves a copy where it was: on the stack, while a key is made.

mod aes_cm;
mod ctr_hmac;
mod derive;
mod gcm;
mod profile;

use std::fmt;

use self::{ctr_hmac::CtrHmac, derive::Purpose, gcm::Gcm};

pub(crate) use self::{derive::MasterKey, profile::Profile};

/// The fixed part of an RTP header, of which the SSRC is the end (RFC 3550, section 5.1).
const RTP_HEADER_BYTES: usize = 12;

/// The part of an SRTCP packet that is never encrypted: the first header and its SSRC.
const RTCP_CLEAR_BYTES: usize = 8;

/// The E flag and the index behind an SRTCP packet (RFC 3711, section 3.4).
const RTCP_INDEX_BYTES: usize = 4;

/// Says in the index word of SRTCP that the packet is encrypted.
const RTCP_ENCRYPTED: u32 = 1 << 31;

/// How many packets one key can seal for an SSRC (RFC 3711, section 9.2): an index has 48 bits.
pub(crate) const RTP_INDEX_LIMIT: u64 = 1 << 48;

/// Why a packet could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// It has not the length of what it is to hold, or is too short to be a packet.
    #[error("the packet has the wrong length")]
    Length,
    /// Its index has been used up.
    #[error("the key has sealed as many packets as it may")]
    Exhausted,
    /// It is not from whom it says, or was changed on its way.
    #[error("the packet is not authentic")]
    NotAuthentic,
    /// The cryptographic library refused; it gives no reason.
    #[error("the cryptographic library refused")]
    Library,
}

/// The keys of one DTLS session, for both directions.
pub(crate) struct SrtpKeys {
    /// For what this side sends.
    pub(crate) local: MasterKey,
    /// For what the other side sends.
    pub(crate) remote: MasterKey,
}

impl SrtpKeys {
    /// Takes the keying material apart (RFC 5764, section 4.2): the client's key, the server's key,
    /// the client's salt, the server's salt. Nothing, if it has not the length that the profile
    /// asks for.
    pub(crate) fn new(profile: Profile, material: &[u8], is_client: bool) -> Option<Self> {
        let (keys, salts) = material.split_at_checked(2 * profile.key_bytes())?;
        if salts.len() != 2 * profile.salt_bytes() {
            return None;
        }
        let (client_key, server_key) = keys.split_at(profile.key_bytes());
        let (client_salt, server_salt) = salts.split_at(profile.salt_bytes());
        let client = MasterKey::new(profile, client_key, client_salt);
        let server = MasterKey::new(profile, server_key, server_salt);
        let (local, remote) = if is_client {
            (client, server)
        } else {
            (server, client)
        };
        Some(Self { local, remote })
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKeys").finish_non_exhaustive()
    }
}

/// One session key with its salt, whatever the profile.
#[expect(
    clippy::large_enum_variant,
    reason = "the keys that nearly all clients choose stand side by side, without a pointer"
)]
enum Cipher {
    Gcm(Gcm),
    /// On the heap: it is larger, and few clients choose it.
    CtrHmac(Box<CtrHmac>),
}

impl Cipher {
    fn new(master: &MasterKey, purpose: Purpose) -> Result<Self, SealError> {
        Ok(match master.profile() {
            Profile::Aes128CmSha1_80 => Self::CtrHmac(Box::new(CtrHmac::derive(master, purpose)?)),
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
                Self::Gcm(Gcm::derive(master, purpose)?)
            }
        })
    }

    /// Forgets the key where it is. What is on the heap is cleared when it is dropped.
    fn clear(&mut self) {
        match self {
            Self::Gcm(gcm) => gcm.clear(),
            Self::CtrHmac(_) => {}
        }
    }

    fn tag_bytes(&self) -> usize {
        match self {
            Self::Gcm(_) => gcm::TAG_BYTES,
            Self::CtrHmac(_) => ctr_hmac::TAG_BYTES,
        }
    }
}

/// Seals RTP packets of any number of SSRCs with one key.
pub(crate) struct RtpSealer(Cipher);

impl RtpSealer {
    pub(crate) fn new(local: &MasterKey) -> Result<Self, SealError> {
        Cipher::new(local, Purpose::Rtp).map(Self)
    }

    /// Forgets the key. To be called before it is moved for the last time: a move leaves a copy behind.
    /// Nothing may be sealed after.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// By how many bytes a packet grows.
    pub(crate) fn overhead(&self) -> usize {
        self.0.tag_bytes()
    }

    /// Seals a payload behind its header: `packet` begins with `header` bytes of header, with CSRCs and
    /// extensions, and has room for the payload and [`RtpSealer::overhead`] more.
    ///
    /// `index` is the sequence number with the roll-over counter above it (RFC 3711, section
    /// 3.3.1). The caller never gives one twice for the same SSRC.
    ///
    /// # Errors
    /// [`SealError::Length`], [`SealError::Exhausted`], [`SealError::Library`]; the packet must
    /// not be sent then.
    pub(crate) fn seal(
        &self,
        payload: &[u8],
        packet: &mut [u8],
        header: usize,
        index: u64,
    ) -> Result<(), SealError> {
        let length = header + payload.len() + self.overhead();
        if header < RTP_HEADER_BYTES || packet.len() != length {
            return Err(SealError::Length);
        }
        if index >= RTP_INDEX_LIMIT {
            return Err(SealError::Exhausted);
        }
        debug_assert_eq!(packet[2..4], (index as u16).to_be_bytes());
        match &self.0 {
            Cipher::Gcm(gcm) => gcm.seal_rtp(payload, packet, header, index),
            Cipher::CtrHmac(ctr_hmac) => ctr_hmac.seal_rtp(payload, packet, header, index),
        }
    }
}

/// Seals RTCP packets of any number of SSRCs with one key.
pub(crate) struct RtcpSealer {
    cipher: Cipher,
    /// Of the last packet. One count for all SSRCs: RFC 3711, section 3.2.1, would do with one for
    /// each, and this is the stricter rule.
    index: u32,
}

impl RtcpSealer {
    pub(crate) fn new(local: &MasterKey) -> Result<Self, SealError> {
        Ok(Self {
            cipher: Cipher::new(local, Purpose::Rtcp)?,
            index: 0,
        })
    }

    /// Seals a compound packet in place and appends index and tag.
    ///
    /// # Errors
    /// [`SealError::Length`], [`SealError::Exhausted`], [`SealError::Library`]; the packet must
    /// not be sent then.
    pub(crate) fn seal(&mut self, packet: &mut Vec<u8>) -> Result<(), SealError> {
        if packet.len() < RTCP_CLEAR_BYTES {
            return Err(SealError::Length);
        }
        let index = self.index + 1;
        if index >= RTCP_ENCRYPTED {
            return Err(SealError::Exhausted);
        }
        self.index = index;
        match &self.cipher {
            Cipher::Gcm(gcm) => gcm.seal_rtcp(packet, index | RTCP_ENCRYPTED),
            Cipher::CtrHmac(ctr_hmac) => ctr_hmac.seal_rtcp(packet, index | RTCP_ENCRYPTED),
        }
    }
}

/// Opens the RTCP packets of the other side.
pub(crate) struct RtcpOpener {
    cipher: Cipher,
    /// The highest index that was authentic.
    index: Option<u32>,
}

impl RtcpOpener {
    pub(crate) fn new(remote: &MasterKey) -> Result<Self, SealError> {
        Ok(Self {
            cipher: Cipher::new(remote, Purpose::Rtcp)?,
            index: None,
        })
    }

    /// Writes the compound packet of an SRTCP packet to `out`, in place of what is there.
    ///
    /// A packet that was overtaken by a later one counts as repeated: who reads reports has no use
    /// for older ones.
    ///
    /// # Errors
    /// [`SealError::Length`], [`SealError::NotAuthentic`].
    pub(crate) fn open(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let overhead = self.cipher.tag_bytes() + RTCP_INDEX_BYTES;
        if packet.len() < RTCP_CLEAR_BYTES + overhead {
            return Err(SealError::Length);
        }
        out.clear();
        let word = match &self.cipher {
            Cipher::Gcm(gcm) => gcm.open_rtcp(packet, out)?,
            Cipher::CtrHmac(ctr_hmac) => ctr_hmac.open_rtcp(packet, out)?,
        };
        let index = word & !RTCP_ENCRYPTED;
        if self.index.is_some_and(|last| index <= last) {
            return Err(SealError::NotAuthentic);
        }
        self.index = Some(index);
        Ok(())
    }
}

/// The SSRC of an RTP packet that is long enough to have one.
fn rtp_ssrc(packet: &[u8]) -> [u8; 4] {
    [packet[8], packet[9], packet[10], packet[11]]
}

/// The first SSRC of an RTCP packet that is long enough to have one.
fn rtcp_ssrc(packet: &[u8]) -> [u8; 4] {
    [packet[4], packet[5], packet[6], packet[7]]
}

#[cfg(test)]
mod tests;
