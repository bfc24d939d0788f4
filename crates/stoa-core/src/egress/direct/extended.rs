//! Extended reports (RFC 3611), of which we want nothing but that they are as long as they say.

use super::packet_type::EXTENDED_REPORT;

/// Block types of RFC 3611, sections 4.4 and 4.5: the two that str0m reads.
const RECEIVER_REFERENCE_TIME: u8 = 4;
const DELAY_SINCE_LAST_REPORT: u8 = 5;

const BLOCK_HEADER: usize = 4;
const REFERENCE_TIME: usize = 12;
/// What one block of delays says of each receiver.
const DELAY: usize = 12;

/// Whether a compound packet has a block of more delays than there are. str0m makes room for as many as a block
/// says, up to 262 KB for four bytes (docs/upstream/str0m-dlrr-room-for-what-is-not-there.md).
pub(super) fn is_overstated(compound: &[u8]) -> bool {
    let mut rest = compound;
    while let Some((&[_, packet_type, high, low], _)) = rest.split_first_chunk() {
        let bytes = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let Some((packet, after)) = rest.split_at_checked(bytes) else {
            return false;
        };
        if packet_type == EXTENDED_REPORT && has_overstated_block(packet) {
            return true;
        }
        rest = after;
    }
    false
}

/// The same of one packet, block by block as str0m reads them.
fn has_overstated_block(packet: &[u8]) -> bool {
    // Behind the header and the SSRC of who reports.
    let mut blocks = packet.get(8..).unwrap_or_default();
    while let Some(&[block_type, _, high, low]) = blocks.first_chunk() {
        let words = usize::from(u16::from_be_bytes([high, low]));
        let bytes = match block_type {
            RECEIVER_REFERENCE_TIME => REFERENCE_TIME,
            DELAY_SINCE_LAST_REPORT => BLOCK_HEADER + words * 4 / DELAY * DELAY,
            // It reads no further.
            _ => return false,
        };
        match blocks.get(bytes..) {
            Some(after) => blocks = after,
            None => return block_type == DELAY_SINCE_LAST_REPORT,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(blocks: &[u8]) -> Vec<u8> {
        let words = (blocks.len() / 4 + 1) as u16;
        let header = [0x80, EXTENDED_REPORT];
        [&header[..], &words.to_be_bytes(), &[0, 0, 0, 9], blocks].concat()
    }

    fn delays(said: u16, there: usize) -> Vec<u8> {
        let [high, low] = (said * 3).to_be_bytes();
        [&[5, 0, high, low][..], &[7; 12].repeat(there)].concat()
    }

    #[test]
    fn what_clients_send_is_as_long_as_it_says() {
        let time = [&[4, 0, 0, 2][..], &[7; 8]].concat();
        let both = [&time[..], &delays(2, 2)].concat();
        let sender_report = [&[0x80, 200, 0, 6][..], &[0; 24]].concat();
        for blocks in [&time, &delays(1, 1), &delays(0, 0), &both] {
            let packet = report(blocks);
            assert!(!is_overstated(&packet), "{packet:?}");
            assert!(!is_overstated(&[&sender_report[..], &packet].concat()));
        }
        assert!(!is_overstated(&[]));
        // A block that str0m does not know ends the packet for it.
        assert!(!is_overstated(&report(&[1, 0, 255, 255])));
    }

    #[test]
    fn more_delays_than_there_are_are_seen_wherever_they_stand() {
        let time = [&[4, 0, 0, 2][..], &[7; 8]].concat();
        let cases = [
            delays(21_845, 0),
            delays(2, 1),
            [&time[..], &delays(1, 0)].concat(),
            [&delays(1, 1)[..], &delays(0, 0), &delays(9, 0)].concat(),
        ];
        for blocks in &cases {
            let packet = report(blocks);
            assert!(is_overstated(&packet), "{packet:?}");
            let second = [&report(&time)[..], &packet].concat();
            assert!(is_overstated(&second));
        }
    }
}
