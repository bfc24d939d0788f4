//! A RED payload (RFC 2198); the first byte is the payload type of Opus.
//!
//! The primary block is the end of the payload, and what begins with a header of a block of another codec is
//! none.

use stoa_core::fuzz::primary_of_red;

use crate::input::Input;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let opus_type = input.byte() & 0x7f;
    let payload = input.rest();
    let Some(primary) = primary_of_red(payload, opus_type) else {
        return;
    };
    assert!(payload.ends_with(&primary));
    assert!(primary.len() < payload.len());
    assert_eq!(payload[0] & 0x7f, opus_type);
    let other = (opus_type + 1) & 0x7f;
    assert_eq!(primary_of_red(payload, other), None);
    // What is in it once more is the same again.
    let wrapped = [&[opus_type], payload].concat();
    assert_eq!(
        primary_of_red(&wrapped, opus_type).as_deref(),
        Some(payload)
    );
}
