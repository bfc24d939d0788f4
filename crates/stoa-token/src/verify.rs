//! From a token to what it grants.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{Validation, decode, errors::ErrorKind};

use crate::{
    claims::Claims,
    grant::Grant,
    header::{TYPE, take_apart},
    keys::{Keys, TokenKey},
    reason::{Reason, Refused},
};

/// The longest token, in bytes. A full one has about 700.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// By how much the clocks of a signalling service and a node may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// The longest time from `iat` to `exp`. A token is for entering, not for staying: whoever is in stays in
/// when it expires.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);

/// Checks tokens.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    keys: Keys,
}

impl Verifier {
    /// Checks with these keys.
    pub fn new(keys: Keys) -> Self {
        Self { keys }
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What the token grants, at this time. Whether one that is good once was used is for
    /// [`crate::Used`] to say.
    ///
    /// # Errors
    /// [`Refused`], which looks the same from outside whatever is wrong.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Grant, Refused> {
        let (header, _) = take_apart(token)?;
        if !header.typ.eq_ignore_ascii_case(TYPE) {
            return Err(Reason::WrongType.into());
        }
        if header.kid.is_empty() {
            return Err(Reason::KeyMissing.into());
        }
        let key = self.keys.get(&header.kid).ok_or(Reason::KeyUnknown)?;
        if header.alg != key.algorithm.name() {
            return Err(Reason::WrongAlgorithm.into());
        }
        let claims = signed_claims(token, key)?;
        if claims.iss != key.tenant.as_str() {
            return Err(Reason::ForeignTenant.into());
        }
        in_time(&claims, now)?;
        Ok(Grant::of(claims)?)
    }
}

/// The claims, if the signature over them is by this key and its algorithm.
fn signed_claims(token: &str, key: &TokenKey) -> Result<Claims, Reason> {
    let mut validation = Validation::new(key.algorithm.of_library());
    // The library judges the signature alone: it reads the system's clock for the times, and takes a
    // claim of a wrong type for one that is missing.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let decoded = decode::<Claims>(token, &key.material, &validation);
    decoded
        .map(|token| token.claims)
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidAlgorithm => Reason::WrongAlgorithm,
            // The signature is looked at first; what is wrong after it is the claims.
            ErrorKind::Json(_) => Reason::ClaimsMalformed,
            _ => Reason::BadSignature,
        })
}

fn in_time(claims: &Claims, now: SystemTime) -> Result<(), Reason> {
    // Before 1970 there is no token.
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| Reason::NotYetValid)?
        .as_secs();
    let latest = now.saturating_add(LEEWAY.as_secs());
    let lifetime = claims.exp.checked_sub(claims.iat);
    if lifetime.is_none_or(|seconds| seconds == 0 || seconds > LONGEST_LIFETIME.as_secs()) {
        return Err(Reason::LifetimeTooLong);
    }
    if claims.iat > latest || claims.nbf.is_some_and(|from| from > latest) {
        return Err(Reason::NotYetValid);
    }
    if now >= claims.exp.saturating_add(LEEWAY.as_secs()) {
        return Err(Reason::Expired);
    }
    Ok(())
}
