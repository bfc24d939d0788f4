//! The bytes of a TCP connection (RFC 4571), cut as the first byte says.
//!
//! However they are cut, the same datagrams come out, none of them of a length that no packet has, and no more is
//! kept than the beginning of one.

use stoa_core::limits::MAX_DATAGRAM_BYTES;
use stoa_net::fuzz::{Stream, may_begin_with};

use crate::input::Input;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let cut = usize::from(input.byte()) + 1;
    let stream = input.rest();
    let (whole, pieces) = (taken(stream, usize::MAX), taken(stream, cut));
    assert_eq!(whole, pieces, "cut into pieces of {cut}");
    let (datagrams, _) = whole;
    let length: usize = datagrams.iter().map(|datagram| datagram.len() + 2).sum();
    assert!(length <= stream.len());
    for datagram in datagrams {
        assert!((8..=MAX_DATAGRAM_BYTES).contains(&datagram.len()));
        // RFC 8489, section 5.
        assert!(!may_begin_with(&datagram) || datagram.len() >= 20 && datagram[0] == 0);
    }
}

/// The datagrams, and whether the connection was closed over what came after.
fn taken(bytes: &[u8], cut: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut stream, mut datagrams) = (Stream::default(), Vec::new());
    for chunk in bytes.chunks(cut.min(bytes.len().max(1))) {
        let taken = stream.take(chunk, |datagram| datagrams.push(datagram.to_vec()));
        if taken.is_none() {
            return (datagrams, true);
        }
        assert!(stream.kept() < 2 + MAX_DATAGRAM_BYTES);
    }
    (datagrams, false)
}
