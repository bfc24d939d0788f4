//! Secrets that browsers hold, of which this service keeps hashes only.
//!
//! They are random and long, so a plain SHA-256 keeps them: there is nothing to guess that a slow
//! hash would make slower.

use std::fmt;

use rand::Rng as _;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use sha2::{Digest as _, Sha256};

use crate::limits;

/// Thirty-two characters that people do not take for each other: five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What a secret is for. The same text means something else for each.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// A browser proves that it is the one that was here before.
    Browser,
    /// One of a browser's windows.
    Window,
    /// A link lets somebody into a room.
    Link,
    /// An invitation lets somebody into the service.
    Invitation,
    /// An administrator proves that they are one.
    Administrator,
}

/// The hash of a secret.
#[derive(Clone, Eq)]
pub(crate) struct SecretHash([u8; 32]);

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        stoa_secret::is_equal(&self.0, &other.0)
    }
}

/// Says nothing of it: who has the hash could at least recognise the secret.
impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

impl SecretHash {
    /// The hash under which the secret is kept.
    pub(crate) fn of(purpose: Purpose, secret: &str) -> Self {
        let label: &[u8] = match purpose {
            Purpose::Browser => b"stoa-talk browser\0",
            Purpose::Window => b"stoa-talk window\0",
            Purpose::Link => b"stoa-talk link\0",
            Purpose::Invitation => b"stoa-talk invitation\0",
            Purpose::Administrator => b"stoa-talk administrator\0",
        };
        let hash = Sha256::new_with_prefix(label).chain_update(secret.as_bytes());
        Self(hash.finalize().into())
    }
}

impl ToSql for SecretHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl FromSql for SecretHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self)
    }
}

/// What the administrator's key is recognised by. The key itself is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdministratorKey(SecretHash);

/// An administrator's key that is too easy to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an administrator's key has {} to {} characters",
    limits::MIN_SECRET_CHARS,
    limits::MAX_SECRET_CHARS
)]
pub struct WeakKey;

impl AdministratorKey {
    /// The key of this text, which has to be long and random.
    ///
    /// # Errors
    /// [`WeakKey`] if it has fewer than 22 bytes, which is 128 bits in base64, or more than 128.
    pub fn new(text: &str) -> Result<Self, WeakKey> {
        if (limits::MIN_SECRET_CHARS..=limits::MAX_SECRET_CHARS).contains(&text.len()) {
            Ok(Self(SecretHash::of(Purpose::Administrator, text)))
        } else {
            Err(WeakKey)
        }
    }

    /// Whether somebody has said this key.
    pub(crate) fn is(&self, said: &str) -> bool {
        self.0 == SecretHash::of(Purpose::Administrator, said)
    }
}

/// A link's or an invitation's new secret, which nobody can guess.
pub(crate) fn new_token() -> String {
    let mut random = rand::rng();
    (0..limits::TOKEN_CHARS)
        .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_part_of_the_hash() {
        let browser = SecretHash::of(Purpose::Browser, "s");
        assert_eq!(browser, SecretHash::of(Purpose::Browser, "s"));
        assert_ne!(browser, SecretHash::of(Purpose::Link, "s"));
        assert_ne!(browser, SecretHash::of(Purpose::Browser, "t"));
    }

    #[test]
    fn tokens_differ() {
        let (a, b) = (new_token(), new_token());
        assert_ne!(a, b);
        assert_eq!(a.len(), limits::TOKEN_CHARS);
    }
}
