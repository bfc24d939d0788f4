//! Under which indices a session was sealed, as far as it can be seen on the wire without its keys.
//!
//! A key, an SSRC and an index must never meet twice (RFC 3711, section 9.1): with AES-GCM that would give
//! the key away. One session has one key for each direction and kind, so SSRC and index say it all.

use std::collections::{HashMap, HashSet};

use crate::datagram::{Protocol, RtpFields};

/// The bit that says that an SRTCP packet is encrypted, in front of its index.
const ENCRYPTED: u32 = 1 << 31;

/// A packet was sealed under an SSRC and an index that had been used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reuse {
    /// Whether it was an RTCP packet.
    pub is_rtcp: bool,
    /// The stream.
    pub ssrc: u32,
    /// The SRTP index (RFC 3711, section 3.3.1), or that of SRTCP (section 3.4).
    pub index: u64,
}

/// Everything that was sealed for one session, one direction: one SRTP key, one SRTCP key.
#[derive(Debug, Default)]
pub struct Sealed {
    /// By SSRC, the highest SRTP index.
    pub highest: HashMap<u32, u64>,
    /// SSRC and index of each SRTP packet.
    pub rtp: HashSet<(u32, u64)>,
    /// The same of SRTCP packets.
    pub rtcp: HashSet<(u32, u64)>,
}

impl Sealed {
    /// Takes a datagram in; those of other protocols are none of its business. Returns whether an index was
    /// used again.
    ///
    /// Of SRTCP it knows AEAD profiles, which str0m's clients always take: the word with the index is the
    /// last one (RFC 7714, section 9.2).
    pub fn see(&mut self, datagram: &[u8]) -> Option<Reuse> {
        let (is_rtcp, ssrc, index) = match Protocol::of(datagram) {
            Protocol::Rtp => {
                let RtpFields {
                    sequence_number,
                    ssrc,
                    ..
                } = RtpFields::of(datagram)?;
                (false, ssrc, self.index(ssrc, sequence_number))
            }
            Protocol::Rtcp => {
                let ssrc = datagram.get(4..8)?.try_into().ok()?;
                let index = u32::from_be_bytes(*datagram.last_chunk()?);
                if index & ENCRYPTED == 0 {
                    return None;
                }
                (true, u32::from_be_bytes(ssrc), u64::from(index))
            }
            Protocol::Stun | Protocol::Dtls => return None,
        };
        let seen = if is_rtcp {
            &mut self.rtcp
        } else {
            &mut self.rtp
        };
        let is_new = seen.insert((ssrc, index));
        (!is_new).then_some(Reuse {
            is_rtcp,
            ssrc,
            index,
        })
    }

    /// The sequence number with its roll-overs, by the nearest to the highest (RFC 3711, section 3.3.1).
    fn index(&mut self, ssrc: u32, sequence_number: u16) -> u64 {
        let highest = self.highest.entry(ssrc).or_insert(sequence_number.into());
        let ahead = sequence_number.wrapping_sub(*highest as u16);
        let index = match ahead < 1 << 15 {
            true => *highest + u64::from(ahead),
            false => highest.saturating_sub(u64::from(ahead.wrapping_neg())),
        };
        *highest = (*highest).max(index);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtp(ssrc: u32, sequence_number: u16) -> Vec<u8> {
        let mut packet = vec![0x80, 111, 0, 0, 0, 0, 0, 9];
        packet[2..4].copy_from_slice(&sequence_number.to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        packet
    }

    fn rtcp(ssrc: u32, index: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 200, 0, 0];
        packet.extend(ssrc.to_be_bytes());
        packet.extend([7; 20]);
        packet.extend((index | ENCRYPTED).to_be_bytes());
        packet
    }

    #[test]
    fn a_number_that_comes_again_is_a_reuse() {
        let mut sealed = Sealed::default();
        for number in [65_534, 65_535, 0, 1] {
            assert_eq!(sealed.see(&rtp(7, number)), None);
            assert_eq!(sealed.see(&rtp(8, number)), None);
        }
        let again = Reuse {
            is_rtcp: false,
            ssrc: 7,
            index: 65_535,
        };
        assert_eq!(sealed.see(&rtp(7, 65_535)), Some(again));
    }

    #[test]
    fn a_number_comes_again_after_a_roll_over_without_being_one() {
        let mut sealed = Sealed::default();
        for number in (0..=u16::MAX).step_by(1_000).chain([2, 1_002]) {
            assert_eq!(sealed.see(&rtp(7, number)), None, "{number}");
        }
        assert_eq!(sealed.highest[&7], 65_536 + 1_002);
    }

    #[test]
    fn reports_are_counted_apart() {
        let mut sealed = Sealed::default();
        assert_eq!(sealed.see(&rtp(7, 1)), None);
        assert_eq!(sealed.see(&rtcp(7, 1)), None);
        assert_eq!(sealed.see(&rtcp(7, 2)), None);
        let reuse = sealed.see(&rtcp(7, 2)).expect("the same index");
        assert!(reuse.is_rtcp);
    }

    #[test]
    fn what_is_neither_is_passed_over() {
        let mut sealed = Sealed::default();
        let others: [&[u8]; 4] = [&[], &[0, 1], &[22, 1, 1], &[0x80, 200, 0]];
        for datagram in others {
            assert_eq!(sealed.see(datagram), None);
        }
    }
}
