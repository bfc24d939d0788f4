//! What the tester reads of a datagram without a session: RTP headers (RFC 3550, section 5.1), which SRTP
//! leaves in the clear.

/// The fixed header's length.
const FIXED_BYTES: usize = 12;

/// The fields of an RTP header that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) ssrc: u32,
    pub(crate) sequence_number: u16,
    pub(crate) timestamp: u32,
    /// Whose voice it is, where the server says it.
    pub(crate) csrc: Option<u32>,
}

impl Header {
    /// Reads a datagram, if it is RTP: version 2, and not a packet type of RTCP (RFC 5761, section 4).
    pub(crate) fn read(datagram: &[u8]) -> Option<Self> {
        let [first, second, ..] = *datagram else {
            return None;
        };
        if first >> 6 != 2 || (192..=223).contains(&second) || datagram.len() < FIXED_BYTES {
            return None;
        }
        let word = |at: usize| {
            datagram[at..]
                .first_chunk()
                .copied()
                .map(u32::from_be_bytes)
        };
        Some(Self {
            ssrc: word(8)?,
            sequence_number: u16::from_be_bytes([datagram[2], datagram[3]]),
            timestamp: word(4)?,
            csrc: match first & 0b1111 {
                0 => None,
                _ => word(FIXED_BYTES),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_other_datagrams_are_not() {
        let mut packet = vec![
            0x81, 0x6f, 0x12, 0x34, 0, 0, 0x10, 0, 0xaa, 0, 0, 1, 0, 0, 0, 9,
        ];
        let header = Header::read(&packet).expect("RTP");
        assert_eq!(header.sequence_number, 0x1234);
        assert_eq!(header.timestamp, 0x1000);
        assert_eq!((header.ssrc, header.csrc), (0xaa00_0001, Some(9)));
        packet[0] = 0x80;
        assert_eq!(Header::read(&packet).expect("RTP").csrc, None);
        packet[1] = 200;
        assert_eq!(Header::read(&packet), None, "RTCP");
        for other in [&[] as &[u8], &[0x80], &[0, 1, 0, 0], &[0x80, 0x6f, 0, 0]] {
            assert_eq!(Header::read(other), None, "{other:?}");
        }
        // It says that there is a CSRC, and ends before it.
        packet[..2].copy_from_slice(&[0x81, 0x6f]);
        assert_eq!(Header::read(&packet[..12]).expect("RTP").csrc, None);
    }
}
