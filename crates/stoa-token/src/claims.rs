//! What a token says, as it is written in JSON.

use serde::{Deserialize, Deserializer, Serialize};

/// A join token's claims (RFC 7519, section 4). Times are whole seconds since 1970, UTC. Claims that are
/// not here may be there and mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The tenant who lets them in: the one that the key belongs to.
    pub iss: String,
    /// Who they are: the `participant_id` they will have.
    pub sub: String,
    /// The token's own name, unique among the tenant's tokens while it is valid: 1 to 128 characters of
    /// `[A-Za-z0-9._~-]`.
    pub jti: String,
    /// When it was made.
    pub iat: u64,
    /// From when on it is good, if later.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    pub nbf: Option<u64>,
    /// Until when it is good.
    pub exp: u64,
    /// Whom it is for. If it is there, it names `stoa`.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    pub aud: Option<Audience>,
    /// Which room: the `room_id`.
    pub room: String,
    /// What they are to be in it: `listener`, `speaker` or `moderator`.
    pub role: String,
    /// What they may send, each once at most: `audio`, `music`. Empty: they only listen.
    pub publish: Vec<String>,
    /// The name to show, at most 256 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether the token lets in once only. Without it the same person may come in with it again until
    /// it expires, for example after a reload.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
}

/// One recipient or several (RFC 7519, section 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audience {
    pub(crate) fn names(&self, who: &str) -> bool {
        match self {
            Self::One(one) => one == who,
            Self::Several(several) => several.iter().any(|one| one == who),
        }
    }
}

/// A claim that is there is of its type: `null` is none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}
