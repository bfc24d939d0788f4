//! An RTP packet with a valid tag: header, extensions and payload are the input's.
//!
//! The first byte says under which SSRC. Whatever it is, it is forwarded as a packet that a real client takes, or
//! counted and not forwarded; and the others hear each other.

use stoa_core::limits::{MAX_DATAGRAM_BYTES, MAX_PREROLL_PACKETS};

use crate::{input::Input, scene};

/// The length of the fixed part of a header (RFC 3550, section 5.1).
const FIXED: usize = 12;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let flags = input.byte();
    let mut packet = input.rest().to_vec();
    if packet.len() < FIXED {
        return;
    }
    scene::with(|scene| {
        let liar = &mut scene.liar;
        let index = liar.index;
        liar.index += 1;
        packet[0] = 0x80 | packet[0] & 0x3f;
        packet[2..4].copy_from_slice(&(index as u16).to_be_bytes());
        if flags & 1 == 0 {
            packet[8..12].copy_from_slice(&liar.ssrc().to_be_bytes());
        }
        let header = header_bytes(&packet);
        let (header, payload) = packet.split_at(header);
        let sealed = liar.sealer().rtp(header, payload, index);
        let from = liar.address;
        let sent = scene.inject(from, &sealed.expect("a header"));
        // With what was kept of what they said before, to the two others.
        assert!(sent.len() <= 2 * (MAX_PREROLL_PACKETS + 1));
        let longest = sent.iter().map(|transmit| transmit.contents.len()).max();
        assert!(longest.unwrap_or(0) <= MAX_DATAGRAM_BYTES);
        scene.others_hear_each_other();
    });
}

/// How long the header is by what stands in it, if the packet is as long.
fn header_bytes(packet: &[u8]) -> usize {
    let mut length = FIXED + 4 * usize::from(packet[0] & 0x0f);
    if packet[0] & 0x10 != 0
        && let Some(extension) = packet.get(length..length + 4)
    {
        let words = u16::from_be_bytes([extension[2], extension[3]]);
        length += 4 + 4 * usize::from(words);
    }
    length.min(packet.len())
}
