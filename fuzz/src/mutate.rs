//! Mutations without coverage, for the short run of the tests: what they find needs no search.

use rand::{Rng as _, rngs::StdRng};

/// Bytes that are at the edge of something.
const EDGES: [u8; 10] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff];

/// Changes an input a little, one to six times. `other` is another input of the same target.
pub fn mutate(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8], longest: usize) {
    for _ in 0..rng.random_range(1..=6) {
        once(rng, bytes, other);
    }
    bytes.truncate(longest);
}

fn once(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        bytes.push(rng.random());
        return;
    }
    let at = rng.random_range(0..bytes.len());
    let length = rng.random_range(1..=(bytes.len() - at).min(64));
    match rng.random_range(0..9) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => bytes[at] = EDGES[rng.random_range(0..EDGES.len())],
        2 => bytes[at] = bytes[at].wrapping_add(rng.random_range(1..=8)),
        3 => bytes[at] = bytes[at].wrapping_sub(rng.random_range(1..=8)),
        4 => bytes.insert(at, rng.random()),
        5 => drop(bytes.drain(at..at + length)),
        6 => bytes.truncate(at),
        7 => {
            let piece = bytes[at..at + length].to_vec();
            bytes.splice(at..at, piece);
        }
        _ if !other.is_empty() => {
            let from = rng.random_range(0..other.len());
            let to = (from + length).min(other.len());
            bytes.splice(at..at + length, other[from..to].iter().copied());
        }
        _ => {}
    }
}
