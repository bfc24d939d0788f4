//! Datagrams in a stream of bytes: each behind its length in two bytes (RFC 4571, section 2).

use stoa_core::limits::MAX_DATAGRAM_BYTES;

/// What stands before each datagram.
pub(super) const LENGTH_BYTES: usize = 2;

/// The shortest that is a packet of any protocol that is expected: an RTCP header with its SSRC. Shorter
/// ones would only be there to have many of them.
const SHORTEST: usize = 8;

/// The stream is not one of packets of ours: it cannot be told where the next datagram begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The beginning of a datagram whose end has not come yet.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    partial: Vec<u8>,
}

impl Frames {
    /// Takes what has come, and hands on the datagrams that are complete. Keeps less than one datagram.
    ///
    /// # Errors
    /// [`Malformed`]: a datagram is longer than any that is looked at, or shorter than any that is one.
    pub(crate) fn take(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) -> Result<(), Malformed> {
        if self.partial.is_empty() {
            let rest = split(bytes, each)?;
            self.partial.extend_from_slice(rest);
            return Ok(());
        }
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        let rest = split(&all, each)?.len();
        all.drain(..all.len() - rest);
        self.partial = all;
        Ok(())
    }

    /// How many bytes are kept.
    pub(crate) fn kept(&self) -> usize {
        self.partial.len()
    }
}

/// Hands on what is complete, and gives what is not.
fn split(mut bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<&[u8], Malformed> {
    while let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() {
        let length = usize::from(u16::from_be_bytes(*length));
        if !(SHORTEST..=MAX_DATAGRAM_BYTES).contains(&length) {
            return Err(Malformed);
        }
        let Some((datagram, rest)) = rest.split_at_checked(length) else {
            break;
        };
        each(datagram);
        bytes = rest;
    }
    Ok(bytes)
}

/// Whether a datagram can be a STUN request: what the first one of a connection has to be (RFC 8489,
/// section 5). Whether it shows a credential, the node will say.
pub(crate) fn may_be_check(datagram: &[u8]) -> bool {
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    datagram.len() >= 20 && datagram[..2] == BINDING_REQUEST && datagram[4..8] == MAGIC_COOKIE
}

/// Whether it is RTP, and so of less use the older it is (RFC 7983, section 7; RFC 5761, section 4).
pub(super) fn is_audio(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(64..=95).contains(&(second & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(datagrams: &[&[u8]]) -> Vec<u8> {
        let frame = |datagram: &&[u8]| {
            let length = u16::try_from(datagram.len()).unwrap().to_be_bytes();
            [&length, *datagram].concat()
        };
        datagrams.iter().flat_map(frame).collect()
    }

    #[test]
    fn datagrams_come_out_whole_however_the_stream_is_cut() {
        let longest = vec![7; MAX_DATAGRAM_BYTES];
        let datagrams: [&[u8]; 4] = [b"12345678", b"a longer one", &longest, b"and the last"];
        let stream = framed(&datagrams);
        for cut in [1, 2, 3, 7, 100, 2_048, stream.len()] {
            let (mut frames, mut taken) = (Frames::default(), Vec::new());
            for bytes in stream.chunks(cut) {
                let each = |datagram: &[u8]| taken.push(datagram.to_vec());
                frames.take(bytes, each).unwrap();
                assert!(frames.partial.len() < LENGTH_BYTES + MAX_DATAGRAM_BYTES);
            }
            assert_eq!(taken, datagrams, "cut into pieces of {cut}");
            assert!(frames.partial.is_empty());
        }
    }

    #[test]
    fn what_no_packet_can_be_ends_the_stream() {
        let too_long = vec![0; MAX_DATAGRAM_BYTES + 1];
        for wrong in [b"".as_slice(), b"1234567", &too_long] {
            let mut frames = Frames::default();
            assert_eq!(frames.take(&framed(&[wrong]), |_| ()), Err(Malformed));
        }
        // The beginning of "GET / HTTP/1.1" is a length, too.
        assert_eq!(
            Frames::default().take(b"GET / HTTP/1.1\r\n", |_| ()),
            Err(Malformed)
        );
    }
}
