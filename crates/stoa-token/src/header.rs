//! The parts of a token, before anything in it is believed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::{claims::Claims, limits::MAX_TOKEN_BYTES, reason::Reason};

/// The `typ` of a join token, in any case (RFC 7515, section 4.1.9).
pub const TYPE: &str = "stoa-join+jwt";

/// A token's header: these three and nothing else, so that there is no key (`jwk`, `jku`, `x5u`) and no
/// extension (`crit`) to be followed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// What it says it is signed with. A text, so that one we do not know is just a wrong one.
    pub(crate) alg: String,
    #[serde(default)]
    pub(crate) typ: String,
    #[serde(default)]
    pub(crate) kid: String,
}

/// A token's header, and its claims as they are written.
pub(crate) fn take_apart(token: &str) -> Result<(Header, &str), Reason> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Reason::Oversized);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Reason::NotCompact);
    };
    let header = URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| Reason::NotCompact)?;
    let header = serde_json::from_slice(&header).map_err(|_| Reason::HeaderMalformed)?;
    Ok((header, claims))
}

/// What a token says of itself, whoever made it. For people who look into one, never for decisions.
#[derive(Debug, Clone)]
pub struct Unverified {
    /// What it says it is signed with.
    pub algorithm: String,
    /// What it says it is for.
    pub kind: String,
    /// Which key it names.
    pub key: String,
    /// What it claims.
    pub claims: Claims,
}

impl Unverified {
    /// Reads a token without looking at its signature or its times.
    ///
    /// # Errors
    /// The [`Reason`] why it cannot be read.
    pub fn read(token: &str) -> Result<Self, Reason> {
        let (header, claims) = take_apart(token)?;
        let claims = URL_SAFE_NO_PAD
            .decode(claims)
            .map_err(|_| Reason::NotCompact)?;
        let claims = serde_json::from_slice(&claims).map_err(|_| Reason::ClaimsMalformed)?;
        Ok(Self {
            algorithm: header.alg,
            kind: header.typ,
            key: header.kid,
            claims,
        })
    }
}
