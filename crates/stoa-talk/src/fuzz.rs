//! What `fuzz/` needs beyond the crate's interface: what browsers say is read without one. No part of the interface;
//! why it has no feature of its own stands in `stoa-core/src/fuzz.rs`.

use crate::{
    limits,
    protocol::{AtEntrance, FromBrowser, Look},
};

/// The longest message of a browser that is looked at, in bytes.
pub const MAX_MESSAGE_BYTES: usize = limits::MAX_MESSAGE_BYTES;

/// Reads a message of a browser.
///
/// # Errors
/// What the browser is told, as JSON.
pub fn message(text: &str) -> Result<(), String> {
    let read = FromBrowser::parse(text);
    read.map(drop)
        .map_err(|problem| serde_json::to_string(&problem).unwrap_or_default())
}

/// Reads a question over HTTP: what would come of a join, or at the entrance. Whether it is one.
pub fn question(text: &[u8]) -> bool {
    let look = serde_json::from_slice::<Look>(text).is_ok_and(|look| look.check().is_ok());
    let wish = serde_json::from_slice::<AtEntrance>(text).is_ok_and(|wish| wish.check().is_ok());
    look || wish
}
