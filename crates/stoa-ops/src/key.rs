//! The key that changes need.

use sha2::{Digest as _, Sha256};

/// The key of those who may drain the node, known by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpsKey {
    /// The SHA-256 of the key. Keys are random and long, so a plain hash is enough.
    pub sha256: [u8; 32],
}

impl OpsKey {
    /// Whether an `authorization` header shows it, as `Bearer KEY` (RFC 6750, section 2.1).
    pub(crate) fn is_shown_by(&self, header: &[u8]) -> bool {
        const SCHEME: &[u8] = b"Bearer ";
        let Some((scheme, key)) = header.split_at_checked(SCHEME.len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(SCHEME)
            && stoa_secret::is_equal(&Sha256::digest(key), &self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_opens() {
        let key = OpsKey {
            sha256: Sha256::digest(b"long").into(),
        };
        assert!(key.is_shown_by(b"Bearer long") && key.is_shown_by(b"bearer long"));
        for bad in [
            &b""[..],
            b"Bearer",
            b"Bearer ",
            b"Bearer longer",
            b"Basic long",
            b"long",
        ] {
            assert!(!key.is_shown_by(bad));
        }
    }
}
