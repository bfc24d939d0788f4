//! What can be seen of a datagram without its keys.

/// Which protocol a datagram on a media path is of (RFC 7983, section 7; RFC 5761, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// An ICE check, its answer, or something that looks like neither.
    Stun,
    /// A DTLS record.
    Dtls,
    /// An RTP packet.
    Rtp,
    /// An RTCP packet.
    Rtcp,
}

impl Protocol {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// The protocol of these bytes, by the first two of them.
    pub fn of(contents: &[u8]) -> Self {
        match contents {
            [20..=63, ..] => Self::Dtls,
            // RTCP has packet types from 192 to 223, where RTP has its marker and payload type.
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, ..] => Self::Rtp,
            _ => Self::Stun,
        }
    }
}

/// The fields of an RTP header that are never encrypted and that identify a packet (RFC 3550,
/// section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpFields {
    /// The sequence number as it is on the wire.
    pub sequence_number: u16,
    /// The stream.
    pub ssrc: u32,
    /// The first contributing source, if there is any.
    pub csrc: Option<u32>,
}

impl RtpFields {
    /// The fields, if the datagram is an RTP packet with a whole header.
    pub fn of(contents: &[u8]) -> Option<Self> {
        if Protocol::of(contents) != Protocol::Rtp {
            return None;
        }
        let word = |at: usize| -> Option<u32> {
            let bytes = contents.get(at..at + 4)?;
            Some(
                bytes
                    .iter()
                    .fold(0, |word, &byte| word << 8 | u32::from(byte)),
            )
        };
        let has_csrc = contents.first()? & 0x0f > 0;
        Some(Self {
            sequence_number: u16::try_from(word(0)? & 0xffff).ok()?,
            ssrc: word(8)?,
            csrc: if has_csrc { Some(word(12)?) } else { None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_apart_by_their_first_bytes() {
        assert_eq!(Protocol::of(&[0, 1, 0, 0]), Protocol::Stun);
        assert_eq!(Protocol::of(&[]), Protocol::Stun);
        assert_eq!(Protocol::of(&[22, 254, 253]), Protocol::Dtls);
        assert_eq!(Protocol::of(&[0x80, 111]), Protocol::Rtp);
        assert_eq!(Protocol::of(&[0x90, 0x80 | 111]), Protocol::Rtp);
        assert_eq!(Protocol::of(&[0x81, 201]), Protocol::Rtcp);
    }

    #[test]
    fn the_fields_of_an_rtp_header() {
        let mut packet = vec![0x81, 111, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0, 5];
        let fields = RtpFields::of(&packet).unwrap();
        assert_eq!(
            (fields.sequence_number, fields.ssrc, fields.csrc),
            (0x1234, 7, Some(5))
        );
        packet[0] = 0x80;
        assert_eq!(RtpFields::of(&packet).unwrap().csrc, None);
        assert_eq!(RtpFields::of(&packet[..10]), None);
        assert_eq!(RtpFields::of(&[0, 1, 0, 0]), None);
    }
}
