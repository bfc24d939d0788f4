//! With what somebody enters: the same token for all, or one for each that the tester makes for a Stoa.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use stoa_token::{Claims, SigningKey};
use zeroize::Zeroizing;

use crate::{
    scenario::Role,
    target::{Entrant, Refusal, TargetError},
};

/// For how long a token is good that the tester makes: it is used at once, and again for DELETE.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// Whose tokens.
pub(crate) enum Tokens {
    /// Nobody needs one.
    None,
    /// The same for all.
    One(Zeroizing<String>),
    /// One for each, signed by a tenant's key.
    Each(Box<Signer>),
}

/// A tenant's key and its name.
pub(crate) struct Signer {
    key: SigningKey,
    kid: String,
    tenant: String,
}

/// Where a key is.
#[derive(Debug, Clone)]
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    pub(crate) kid: String,
    pub(crate) tenant: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::One(_) => "One(..)",
            Self::Each(_) => "Each(..)",
        })
    }
}

impl Tokens {
    /// The token alone on a file's first line.
    ///
    /// # Errors
    /// [`TargetError::Secret`].
    pub(crate) fn one(file: &Path) -> Result<Self, TargetError> {
        Ok(Self::One(stoa_secret::read_first_line(file)?))
    }

    /// Made with this key: a private key in PEM, or else a secret.
    ///
    /// # Errors
    /// [`TargetError::Secret`], [`TargetError::TokenKey`].
    pub(crate) fn each(file: KeyFile) -> Result<Self, TargetError> {
        let bytes = stoa_secret::read(&file.path)?;
        let key = match bytes.starts_with(b"-----BEGIN") {
            true => SigningKey::ed25519(&bytes),
            false => SigningKey::hs256(&bytes),
        };
        let key = key.map_err(|error| TargetError::TokenKey {
            path: file.path,
            reason: error.to_string(),
        })?;
        Ok(Self::Each(Box::new(Signer {
            key,
            kid: file.kid,
            tenant: file.tenant,
        })))
    }

    /// The token of somebody.
    pub(super) fn token_for(&self, entrant: &Entrant<'_>) -> Result<Option<String>, Refusal> {
        match self {
            Self::None => Ok(None),
            Self::One(token) => Ok(Some(token.to_string())),
            Self::Each(signer) => signer.sign(entrant).map(Some),
        }
    }
}

impl Signer {
    fn sign(&self, entrant: &Entrant<'_>) -> Result<String, Refusal> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let (role, publish) = match entrant.role {
            Role::Listener => ("listener", Vec::new()),
            Role::Speaker => ("speaker", vec!["audio".to_owned()]),
            Role::Moderator => ("moderator", vec!["audio".to_owned()]),
        };
        let claims = Claims {
            iss: self.tenant.clone(),
            sub: entrant.who.to_owned(),
            jti: format!("{}.{}", entrant.room, entrant.who),
            iat: now.as_secs(),
            nbf: None,
            exp: (now + LIFETIME).as_secs(),
            aud: None,
            room: entrant.room.to_owned(),
            role: role.to_owned(),
            publish,
            name: String::new(),
            once: false,
        };
        let token = self.key.mint(&self.kid, &claims);
        token.map_err(|error| Refusal::new("TOKEN", error.to_string()))
    }
}
