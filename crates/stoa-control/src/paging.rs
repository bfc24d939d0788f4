//! Page tokens: where the next page begins, in a form that nobody is tempted to make up.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use stoa_api::v1::ErrorReason;
use stoa_core::{RoomId, limits::MAX_ID_LENGTH};

use crate::errors::Failure;

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;
/// So much of a hash that garbage is told from a token.
const CHECK_BYTES: usize = 4;
/// Two identifiers and what is between them.
const LONGEST_TEXT: usize = 2 * MAX_ID_LENGTH + 1;

/// How many rooms a page has.
pub(crate) fn size(asked: i32) -> Result<usize, Failure> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) => Ok(size.min(LARGEST_PAGE)),
        Err(_) => Err(Failure::fields(vec![(
            "page_size",
            "is negative; it must be 0 to 1,000".into(),
        )])),
    }
}

/// The token of the page after the one that ends with this room. It has the name alone: whose room it is
/// follows from who shows it.
pub(crate) fn token(last: &RoomId) -> String {
    encode(last.name())
}

/// The name of the last room of the page before; `None` for the first page.
pub(crate) fn parse(token: &str) -> Result<Option<RoomId>, Failure> {
    if token.is_empty() {
        return Ok(None);
    }
    let room = decode(token).and_then(|name| RoomId::new(&name).ok());
    room.map(Some).ok_or_else(|| invalid("ListRooms"))
}

/// A token that is not one of this method's.
pub(crate) fn invalid(method: &str) -> Failure {
    Failure::new(
        ErrorReason::PageTokenInvalid,
        format!("the page token did not come from {method}; begin with an empty one"),
    )
}

/// Some text as a token.
pub(crate) fn encode(text: &str) -> String {
    let mut token = String::with_capacity(2 * (CHECK_BYTES + text.len()));
    for byte in check(text).iter().chain(text.as_bytes()) {
        write!(token, "{byte:02x}").expect("a string takes everything");
    }
    token
}

/// The text of a token, if it is one.
pub(crate) fn decode(token: &str) -> Option<String> {
    if !token.is_ascii() || token.len() > 2 * (CHECK_BYTES + LONGEST_TEXT) {
        return None;
    }
    let pairs = token.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let bytes = bytes?;
    let (found, text) = bytes.split_at_checked(CHECK_BYTES)?;
    let text = str::from_utf8(text).ok()?;
    (found == check(text) && encode(text) == token).then(|| text.to_owned())
}

fn check(text: &str) -> [u8; CHECK_BYTES] {
    let hash = Sha256::digest(text.as_bytes());
    std::array::from_fn(|i| hash[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_room() {
        for id in ["a", "room-1.x~", &"z".repeat(MAX_ID_LENGTH)] {
            let id = RoomId::new(id).expect("an identifier");
            assert_eq!(parse(&token(&id)), Ok(Some(id)));
        }
        assert_eq!(parse(""), Ok(None));
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        let good = token(&RoomId::new("room").expect("an identifier"));
        let upper = good.to_uppercase();
        let cut = &good[..good.len() - 2];
        let odd = &good[..good.len() - 1];
        let long = "00".repeat(1000);
        for bad in [
            "room",
            "zz",
            "0",
            "é",
            "+1+1",
            upper.as_str(),
            cut,
            odd,
            &long,
        ] {
            let failure = parse(bad).expect_err(bad);
            assert_eq!(failure.reason, ErrorReason::PageTokenInvalid, "{bad}");
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_maximum() {
        assert_eq!(size(0), Ok(100));
        assert_eq!(size(1), Ok(1));
        assert_eq!(size(i32::MAX), Ok(1000));
        assert!(size(-1).is_err());
    }
}
