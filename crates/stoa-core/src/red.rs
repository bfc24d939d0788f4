//! What a speaker's packet carries: Opus, or Opus with earlier frames beside it (RED, RFC 2198).
//!
//! RED passes through to those who negotiated it under the same numbers, since its blocks name the
//! payload type of Opus as the speaker has it. Everybody else gets the primary block, which is the
//! Opus packet.

use std::sync::Arc;

/// The most redundant blocks in one packet; senders carry one or two. More is somebody who wants us
/// to be busy.
const MAX_REDUNDANT_BLOCKS: usize = 8;

/// The bit that says that another block header follows (RFC 2198, section 3).
const FOLLOWED: u8 = 0x80;

/// A payload is not RED as RFC 2198 describes it, or not of Opus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MalformedRed;

/// What one packet carries. Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payload {
    /// The Opus packet.
    pub(crate) opus: Arc<[u8]>,
    /// The same packet with redundancy, where the speaker sent it so.
    pub(crate) red: Option<Red>,
}

impl Payload {
    /// The length of the longest form in which it may be forwarded.
    pub(crate) fn longest(&self) -> usize {
        let red = self.red.as_ref().map_or(0, |red| red.bytes.len());
        self.opus.len().max(red)
    }
}

/// A RED payload as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Red {
    pub(crate) bytes: Arc<[u8]>,
    /// The payload type that its blocks name, 0 to 127.
    pub(crate) opus_type: u8,
}

impl Payload {
    /// A packet of Opus alone.
    pub(crate) fn plain(opus: Arc<[u8]>) -> Self {
        Self { opus, red: None }
    }

    /// A packet of RED, whose every block has to be Opus under this payload type.
    ///
    /// # Errors
    /// [`MalformedRed`].
    pub(crate) fn redundant(bytes: Arc<[u8]>, opus_type: u8) -> Result<Self, MalformedRed> {
        let opus = primary(&bytes, opus_type)?.into();
        let red = Some(Red { bytes, opus_type });
        Ok(Self { opus, red })
    }
}

/// The primary block of a RED payload.
fn primary(payload: &[u8], opus_type: u8) -> Result<&[u8], MalformedRed> {
    let mut rest = payload;
    let mut redundant_bytes = 0;
    for _ in 0..=MAX_REDUNDANT_BLOCKS {
        let (&first, after) = rest.split_first().ok_or(MalformedRed)?;
        if first & !FOLLOWED != opus_type {
            return Err(MalformedRed);
        }
        if first & FOLLOWED == 0 {
            return after.get(redundant_bytes..).ok_or(MalformedRed);
        }
        // 14 bits of timestamp offset, then 10 bits of length.
        let [_, high, low] = *after.first_chunk().ok_or(MalformedRed)?;
        redundant_bytes += usize::from(high & 0b11) << 8 | usize::from(low);
        rest = &after[3..];
    }
    Err(MalformedRed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPUS: u8 = 111;

    /// A RED payload of these redundant blocks and this primary one.
    fn encode(redundant: &[&[u8]], primary: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (block, age) in redundant.iter().zip((1..=redundant.len()).rev()) {
            let offset = u32::try_from(age * 960).unwrap();
            let length = u32::try_from(block.len()).unwrap();
            bytes.push(FOLLOWED | OPUS);
            bytes.extend(&(offset << 10 | length).to_be_bytes()[1..]);
        }
        bytes.push(OPUS);
        redundant.iter().for_each(|block| bytes.extend(*block));
        bytes.extend(primary);
        bytes
    }

    #[test]
    fn the_primary_block_is_what_stands_behind_the_redundant_ones() {
        assert_eq!(primary(&encode(&[], b"now"), OPUS), Ok(&b"now"[..]));
        let bytes = encode(&[b"older", &[7; 700], b""], b"now");
        assert_eq!(primary(&bytes, OPUS), Ok(&b"now"[..]));
        assert_eq!(primary(&encode(&[b"before"], b""), OPUS), Ok(&b""[..]));
    }

    #[test]
    fn blocks_that_overrun_are_refused() {
        let bytes = encode(&[b"before"], b"");
        for length in 0..bytes.len() {
            assert_eq!(
                primary(&bytes[..length], OPUS),
                Err(MalformedRed),
                "{length}"
            );
        }
    }

    #[test]
    fn other_codecs_and_endless_headers_are_refused() {
        assert_eq!(primary(&encode(&[b"a"], b"b"), 109), Err(MalformedRed));
        let many = [&b"x"[..]; MAX_REDUNDANT_BLOCKS + 1];
        assert!(primary(&encode(&many[1..], b"b"), OPUS).is_ok());
        assert_eq!(primary(&encode(&many, b"b"), OPUS), Err(MalformedRed));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), pt in 0u8..128) {
            let _ = primary(&bytes, pt);
        }

        #[test]
        fn what_is_written_is_read(
            redundant in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1_024), 0..4),
            now in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let redundant: Vec<&[u8]> = redundant.iter().map(Vec::as_slice).collect();
            let bytes = encode(&redundant, &now);
            prop_assert_eq!(primary(&bytes, OPUS), Ok(&now[..]));
        }
    }
}
