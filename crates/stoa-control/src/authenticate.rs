//! Who calls: a client certificate that TLS has verified, or an API key.
//!
//! A caller who sends an `authorization` header is judged by it alone, so that a wrong key is never
//! covered up by a certificate that happens to be there.

use std::{fmt::Write as _, sync::Arc};

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use stoa_api::v1::ErrorReason;
use stoa_h3::PeerInfo;

use crate::errors::Failure;

/// Bytes of a certificate's SHA-256 that name its caller.
const FINGERPRINT_BYTES: usize = 8;

/// The only service that needs no credential: probes have none.
const OPEN_SERVICE: &str = "/grpc.health.v1.Health/";

/// An API key, known by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyHash {
    /// What the key is called in logs, and what separates its callers' `request_id`s from those of
    /// others.
    pub name: String,
    /// The SHA-256 of the key. Keys are random and long, so a plain hash is enough.
    pub sha256: [u8; 32],
}

impl ApiKeyHash {
    /// The hash of a key that is known.
    pub fn of(name: impl Into<String>, key: &str) -> Self {
        Self {
            name: name.into(),
            sha256: Sha256::digest(key.as_bytes()).into(),
        }
    }
}

/// Who calls; an extension of every request that got past the gate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Caller(Arc<str>);

impl Caller {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Knows the API keys.
pub(crate) struct Authenticator {
    keys: Vec<(Caller, [u8; 32])>,
}

impl Authenticator {
    pub(crate) fn new(keys: &[ApiKeyHash]) -> Self {
        let named = |key: &ApiKeyHash| (Caller(format!("key:{}", key.name).into()), key.sha256);
        Self {
            keys: keys.iter().map(named).collect(),
        }
    }

    /// Who calls; `None` for a call that needs no credential and has none.
    pub(crate) fn caller(
        &self,
        path: &str,
        headers: &HeaderMap,
        peer: Option<&PeerInfo>,
    ) -> Result<Option<Caller>, Failure> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        if let Some(value) = values.next() {
            let only = values.next().is_none();
            let caller = bearer(value.as_bytes())
                .filter(|_| only)
                .and_then(|key| self.find(key));
            return caller.map(Some).ok_or_else(invalid);
        }
        if let Some(caller) = peer.and_then(certificate) {
            return Ok(Some(caller));
        }
        match path.starts_with(OPEN_SERVICE) {
            true => Ok(None),
            false => Err(missing()),
        }
    }

    /// Looks at every key to its end, so that the time taken tells nothing.
    fn find(&self, key: &[u8]) -> Option<Caller> {
        let hash: [u8; 32] = Sha256::digest(key).into();
        let mut found = None;
        for (caller, expected) in &self.keys {
            if equal(&hash, expected) {
                found = Some(caller);
            }
        }
        found.cloned()
    }
}

fn equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let difference = a
        .iter()
        .zip(b)
        .fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    difference == 0
}

/// The key of `Bearer KEY` (RFC 6750, section 2.1); the scheme's case does not matter.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !key.is_empty()).then_some(key)
}

fn certificate(peer: &PeerInfo) -> Option<Caller> {
    let leaf = peer.client_certificates.as_ref()?.first()?;
    let mut name = String::from("certificate:");
    for byte in &Sha256::digest(leaf)[..FINGERPRINT_BYTES] {
        write!(name, "{byte:02x}").expect("a string takes everything");
    }
    Some(Caller(name.into()))
}

fn missing() -> Failure {
    Failure::new(
        ErrorReason::CredentialMissing,
        "send a key of this node as `authorization: Bearer KEY`, or use a client certificate",
    )
}

fn invalid() -> Failure {
    Failure::new(
        ErrorReason::CredentialInvalid,
        "the authorization header is not `Bearer KEY` with a key of this node",
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PATH: &str = "/stoa.control.v1.Rooms/Join";

    fn judge(values: &[&str]) -> Result<Option<Caller>, ErrorReason> {
        let keys = [
            ApiKeyHash::of("one", "first"),
            ApiKeyHash::of("two", "second"),
        ];
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header"),
            );
        }
        Authenticator::new(&keys)
            .caller(PATH, &headers, None)
            .map_err(|failure| failure.reason)
    }

    #[test]
    fn a_key_names_its_caller() {
        let caller = judge(&["bearer second"]).expect("a key").expect("a caller");
        assert_eq!(caller.as_str(), "key:two");
        assert!(judge(&["Bearer first"]).is_ok());
    }

    #[test]
    fn anything_else_in_the_header_is_refused() {
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer third",
            "Basic first",
            "Bearer  first",
        ] {
            assert_eq!(
                judge(&[bad]),
                Err(ErrorReason::CredentialInvalid),
                "{bad:?}"
            );
        }
        let twice = judge(&["Bearer first", "Bearer first"]);
        assert_eq!(twice, Err(ErrorReason::CredentialInvalid));
        assert_eq!(judge(&[]), Err(ErrorReason::CredentialMissing));
    }
}
