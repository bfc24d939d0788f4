//! What people say: a synthesised sample in Opus (`speech/make.py`), and a stamp in each packet that tells
//! whoever decrypts it who said it, when, and whether it is what was said.
//!
//! The stamp is Opus padding (RFC 6716, section 3.2.5), which decoders pass over: a packet with it is heard
//! like one without.

use std::sync::OnceLock;

/// The sample, in the form that `speech/make.py` describes.
const SAMPLE: &[u8] = include_bytes!("../speech/sample.bin");

/// Where a stamp is one: with what it begins.
const MAGIC: [u8; 4] = *b"stoa";

/// Bytes of a stamp.
const STAMP_BYTES: usize = 28;

/// The bits of an Opus packet's first byte that say how many frames it has (RFC 6716, section 3.1).
const FRAME_COUNT_BITS: u8 = 0b11;

/// The second byte of a packet of code 3 with one frame and padding (RFC 6716, section 3.2.5).
const ONE_FRAME_PADDED: u8 = 0b0100_0001;

/// 20 ms of the sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// How loud, in -dBov (RFC 6464).
    pub(crate) level: u8,
    packet: &'static [u8],
}

/// What a packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Whose it is: the tester's own number of them.
    pub(crate) speaker: u32,
    /// The how-manieth packet of the speaker with a voice in it.
    pub(crate) number: u32,
    /// In the how-manieth talk-spurt of the speaker; 0 if in none.
    pub(crate) spurt: u32,
    /// The how-manieth of the talk-spurt.
    pub(crate) in_spurt: u16,
    /// Which frame of the sample.
    pub(crate) frame: u16,
    /// When it was written, in nanoseconds since 1970.
    pub(crate) written: u64,
}

/// A payload that nobody here has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// The sample's frames.
pub(crate) fn sample() -> &'static [Frame] {
    static FRAMES: OnceLock<Vec<Frame>> = OnceLock::new();
    FRAMES.get_or_init(|| {
        let mut frames = Vec::new();
        let mut rest = SAMPLE;
        while let [level, high, low, after @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let (packet, after) = after.split_at(length);
            frames.push(Frame {
                level: *level,
                packet,
            });
            rest = after;
        }
        frames
    })
}

/// What is sent in silence every 400 ms: a packet without a frame, which is what Opus's discontinuous
/// transmission makes of it (RFC 6716, section 2.1.9).
pub(crate) fn silence() -> Vec<u8> {
    vec![sample()[0].packet[0] & !FRAME_COUNT_BITS]
}

impl Frame {
    /// The packet with a stamp in it.
    pub(crate) fn stamped(&self, stamp: &Stamp) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.packet.len() + 2 + STAMP_BYTES);
        let length = u8::try_from(STAMP_BYTES).expect("shorter than 255");
        bytes.extend([self.packet[0] | FRAME_COUNT_BITS, ONE_FRAME_PADDED, length]);
        bytes.extend(&self.packet[1..]);
        bytes.extend(MAGIC);
        bytes.extend(stamp.speaker.to_be_bytes());
        bytes.extend(stamp.number.to_be_bytes());
        bytes.extend(stamp.spurt.to_be_bytes());
        bytes.extend(stamp.in_spurt.to_be_bytes());
        bytes.extend(stamp.frame.to_be_bytes());
        bytes.extend(stamp.written.to_be_bytes());
        bytes
    }
}

impl Stamp {
    /// Reads a payload; `None` is silence. The voice is compared with the sample, byte for byte.
    ///
    /// # Errors
    /// [`Corrupt`] if it is not what a speaker of this tester has written.
    pub(crate) fn read(payload: &[u8]) -> Result<Option<Self>, Corrupt> {
        if payload == silence() {
            return Ok(None);
        }
        let split = payload.len().checked_sub(STAMP_BYTES).ok_or(Corrupt)?;
        let (voice, trailer) = payload.split_at(split);
        let (magic, fields) = trailer.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(Corrupt);
        }
        let stamp = Self {
            speaker: number(fields, 0),
            number: number(fields, 4),
            spurt: number(fields, 8),
            in_spurt: u16::from_be_bytes([fields[12], fields[13]]),
            frame: u16::from_be_bytes([fields[14], fields[15]]),
            written: u64::from(number(fields, 16)) << 32 | u64::from(number(fields, 20)),
        };
        let said = sample().get(usize::from(stamp.frame)).ok_or(Corrupt)?;
        match said.stamped(&stamp)[..split] == *voice {
            true => Ok(Some(stamp)),
            false => Err(Corrupt),
        }
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes[at..].first_chunk().copied();
    u32::from_be_bytes(bytes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        speaker: 7,
        number: 70_000,
        spurt: 3,
        in_spurt: 2,
        frame: 99,
        written: 1_700_000_000_123_456_789,
    };

    #[test]
    fn the_sample_is_twelve_seconds_of_one_frame_each() {
        assert_eq!(sample().len(), 600);
        for frame in sample() {
            assert_eq!(frame.packet[0] & FRAME_COUNT_BITS, 0);
            assert!(frame.level <= 127 && frame.packet.len() > 10);
        }
    }

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let payload = sample()[99].stamped(&STAMP);
        assert_eq!(Stamp::read(&payload), Ok(Some(STAMP)));
        assert_eq!(Stamp::read(&silence()), Ok(None));
    }

    #[test]
    fn what_was_not_said_is_corrupt() {
        let payload = sample()[99].stamped(&STAMP);
        for at in [0, 1, 2, 3, 20, payload.len() - STAMP_BYTES] {
            let mut broken = payload.clone();
            broken[at] ^= 1;
            assert_eq!(Stamp::read(&broken), Err(Corrupt), "byte {at}");
        }
        assert_eq!(Stamp::read(&[]), Err(Corrupt));
        assert_eq!(Stamp::read(&payload[1..]), Err(Corrupt));
    }
}
