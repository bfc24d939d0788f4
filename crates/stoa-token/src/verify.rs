//! From a token to what it grants.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use jsonwebtoken::{Validation, decode, errors::ErrorKind};

use crate::{
    claims::Claims,
    grant::Grant,
    header::{TYPE, take_apart},
    keys::{Keys, TokenKey},
    limits::{LEEWAY, LONGEST_LIFETIME},
    reason::{Reason, Refused},
    used::{Once, Used},
};

/// Checks tokens. Clones share the keys, what was used and what was refused.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    keys: Arc<RwLock<Arc<Keys>>>,
    used: Used,
    refused: Arc<[AtomicU64; Reason::ALL.len()]>,
}

impl Verifier {
    /// Checks with these keys.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys: Arc::new(RwLock::new(Arc::new(keys))),
            ..Self::default()
        }
    }

    /// The keys.
    pub fn keys(&self) -> Arc<Keys> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys)
    }

    /// Checks with these keys from now on, in all clones. What was used stays used, and whoever is in stays in.
    pub fn set_keys(&self, keys: Arc<Keys>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// What the token grants, at this time. Whether one that is good once was used is not asked: that is
    /// for [`Verifier::admit`].
    ///
    /// # Errors
    /// [`Refused`], which looks the same from outside whatever is wrong.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Grant, Refused> {
        self.counted(self.judge(token, now))
    }

    /// Takes the token for one admission; see [`Used::take`].
    ///
    /// # Errors
    /// [`Reason::Replayed`], [`Reason::OnceTableFull`].
    pub fn admit(&self, grant: &Grant, now: SystemTime) -> Result<Once, Refused> {
        self.counted(self.used.take(grant, now))
    }

    /// How many tokens were refused so far, by the reason.
    pub fn refused(&self) -> impl Iterator<Item = (Reason, u64)> {
        let counts = self
            .refused
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Reason::ALL.into_iter().zip(counts)
    }

    fn counted<T>(&self, judged: Result<T, Refused>) -> Result<T, Refused> {
        if let Err(Refused { reason }) = &judged
            && let Some(place) = Reason::ALL.iter().position(|one| one == reason)
        {
            self.refused[place].fetch_add(1, Ordering::Relaxed);
        }
        judged
    }

    fn judge(&self, token: &str, now: SystemTime) -> Result<Grant, Refused> {
        let (header, _) = take_apart(token)?;
        if !header.typ.eq_ignore_ascii_case(TYPE) {
            return Err(Reason::WrongType.into());
        }
        if header.kid.is_empty() {
            return Err(Reason::KeyMissing.into());
        }
        let keys = self.keys();
        let key = keys.get(&header.kid).ok_or(Reason::KeyUnknown)?;
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
