//! What every program here does with a secret: it reads it from a file that not everybody on the machine may read, it
//! compares it in constant time, and it leaves no copy of its own behind.
//!
//! What is handed on to a library (a key to rustls, a header to hyper) is theirs, and most of them clear nothing;
//! SECURITY.md says what holds.

#![forbid(unsafe_code)]

mod file;

use subtle::ConstantTimeEq as _;

pub use file::{MAX_BYTES, SecretFileError, SecretFileProblem, read, read_first_line};

/// Whether both are the same, in a time that depends on their lengths alone.
pub fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_anywhere_is_not_equal() {
        assert!(is_equal(b"", b"") && is_equal(b"abc", b"abc"));
        for other in [&b""[..], b"ab", b"abd", b"xbc", b"abcd"] {
            assert!(!is_equal(b"abc", other), "{other:?}");
        }
    }
}
