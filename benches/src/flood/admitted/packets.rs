//! RTP headers (RFC 3550, section 5.1) and compound RTCP packets (section 6.1), before they are sealed.

/// How long a compound packet is made: with what seals it, as long as the node looks at.
const COMPOUND_BYTES: usize = 1_960;

/// A header of RTP with extensions of one byte each (RFC 8285, section 4.2), if any.
pub(super) fn header(opus: u8, index: u64, ssrc: u32, extensions: &[u8]) -> Vec<u8> {
    let has_extension = u8::from(!extensions.is_empty());
    let mut header = vec![0x80 | has_extension << 4, opus];
    header.extend((index as u16).to_be_bytes());
    header.extend((index as u32).wrapping_mul(960).to_be_bytes());
    header.extend(ssrc.to_be_bytes());
    if !extensions.is_empty() {
        let words = extensions.len().div_ceil(4);
        header.extend([0xbe, 0xde, 0, words as u8]);
        header.extend(extensions);
        header.resize(12 + 4 + 4 * words, 0);
    }
    header
}

/// The header of a packet of somebody who is in and says nothing (RFC 6464).
pub(super) fn silence(opus: u8, ssrc: u32, level: u8) -> Vec<u8> {
    header(opus, 1, ssrc, &[level << 4, 127])
}

/// The extension that names a line (RFC 9143, section 15.2).
pub(super) fn mid(extension: u8, mid: &str) -> Vec<u8> {
    let mut bytes = vec![extension << 4 | (mid.len() as u8).saturating_sub(1)];
    bytes.extend(mid.as_bytes());
    bytes
}

/// One packet of a compound.
fn packet(count: u8, kind: u8, words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut packet = vec![0x80 | count, kind, 0, 0];
    packet.extend(words.into_iter().flat_map(u32::to_be_bytes));
    let length = (packet.len() / 4 - 1) as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet
}

/// So many report blocks about these lines, in turns.
fn blocks(count: usize, lines: &[u32]) -> impl Iterator<Item = u32> {
    let lines = lines.iter().copied().cycle().take(count);
    lines.flat_map(|line| [line, 0x8000_0fff, 7_000, 900, 0x1234_5678, 65_536])
}

/// What begins with this and goes on with that, again and again, up to the length that is looked at.
fn filled(first: Vec<u8>, more: &[Vec<u8>]) -> Vec<u8> {
    let mut compound = first;
    for next in more.iter().cycle() {
        if compound.len() + next.len() > COMPOUND_BYTES {
            break;
        }
        compound.extend(next);
    }
    compound
}

/// Compound packets of all kinds, by this SSRC, about these lines: receiver reports; NACK of thousands of packets;
/// PLI and FIR (RFC 4585, RFC 5104); descriptions and goodbyes of others; and, behind the report of a sender, all of
/// these with extended reports that want to be answered (RFC 3611, section 4.4).
pub(super) fn compounds(ssrc: u32, lines: &[u32]) -> Vec<Vec<u8>> {
    let line = lines.first().copied().unwrap_or_default();
    let empty = packet(0, 201, [ssrc]);
    let receiver = packet(31, 201, [ssrc].into_iter().chain(blocks(31, lines)));
    let nack = (0..100).map(|number| (number * 17) << 16 | 0xffff);
    let nack = packet(1, 205, [ssrc, line].into_iter().chain(nack));
    let pli = packet(1, 206, [ssrc, line]);
    let fir = (0..30).flat_map(|number| [line, number << 24]);
    let fir = packet(4, 206, [ssrc, 0].into_iter().chain(fir));
    let name = [u32::from_be_bytes([1, 2, b'a', b'b']), 0];
    let description = packet(1, 202, [line].into_iter().chain(name));
    let goodbye = packet(31, 203, (0..31).map(|number| line.wrapping_add(number)));
    let extended = |number: u32| packet(0, 207, [ssrc ^ number, 4 << 24 | 2, number, number]);
    let extended: Vec<_> = (1..60).map(extended).collect();
    let sender = [ssrc, 0xdead_beef, 0, 960, 1, 90];
    let sender = packet(31, 200, sender.into_iter().chain(blocks(31, lines)));
    let feedback = [nack, pli, fir, description, goodbye];
    vec![
        filled(receiver.clone(), &[receiver]),
        filled(empty.clone(), &feedback[..1]),
        filled(empty.clone(), &feedback[1..3]),
        filled(empty, &feedback[3..]),
        filled(sender.clone(), &feedback),
        filled(sender, &extended),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compounds_are_whole_and_as_long_as_may_be() {
        for compound in compounds(7, &[8, 9]) {
            assert!(
                (COMPOUND_BYTES - 800..=COMPOUND_BYTES).contains(&compound.len()),
                "{}",
                compound.len()
            );
            let mut rest = &compound[..];
            while let [first, kind, high, low, ..] = *rest {
                assert_eq!(first >> 6, 2);
                assert!((200..=207).contains(&kind), "{kind}");
                let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
                rest = &rest[length..];
            }
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_header_says_which_line() {
        let header = header(111, 0x1_0002, 7, &mid(4, "abc"));
        assert_eq!(header[..4], [0x90, 111, 0, 2]);
        assert_eq!(header[12..], [0xbe, 0xde, 0, 1, 0x42, b'a', b'b', b'c']);
    }
}
