//! The keys of a tenant that join tokens are checked with.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_core::TenantId;
use stoa_token::{KeyError, Keys, TokenKey};

use super::{Config, files};
use crate::exit::Failure;

/// One key. Several may be live at a time: to change one, add the new one, let the signalling service
/// sign with it, and take the old one out once its last token has expired.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenKeyEntry {
    /// Its name, which each token has; unique across all tenants.
    #[schemars(extend("x-reload" = true))]
    kid: String,
    /// What it signs with, `EdDSA` or `HS256`; no token has a say in it.
    #[schemars(extend("x-reload" = true))]
    algorithm: Algorithm,
    /// For EdDSA: the public key as base64url (the `x` of a JWK).
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    public_key: Option<String>,
    /// For EdDSA: the public key as a PEM file.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    public_key_file: Option<PathBuf>,
    /// For HS256: a file with at least 32 bytes; a line break at its end does not count.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    pub(super) secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
enum Algorithm {
    #[serde(rename = "EdDSA")]
    EdDsa,
    #[serde(rename = "HS256")]
    Hs256,
}

impl TokenKeyEntry {
    /// Relative paths are meant from the folder of the configuration file.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        let files = [&mut self.public_key_file, &mut self.secret_file];
        for file in files.into_iter().flatten() {
            *file = folder.join(&*file);
        }
    }

    /// The key.
    ///
    /// # Errors
    /// [`Failure::Config`]; [`Failure::File`] for what is in its file.
    pub(super) fn key(&self, tenant: &TenantId) -> Result<TokenKey, Failure> {
        let kid = &self.kid;
        let wrong = |reason: &dyn std::fmt::Display| {
            Failure::Config(format!("token_keys: {kid}: {reason}"))
        };
        let in_file = |path: &Path, error: KeyError| match error {
            KeyError::Id(_) => wrong(&error),
            error => files::wrong(path, error),
        };
        match (
            self.algorithm,
            &self.public_key,
            &self.public_key_file,
            &self.secret_file,
        ) {
            (Algorithm::EdDsa, Some(text), None, None) => {
                TokenKey::ed25519(tenant.clone(), kid, text).map_err(|error| wrong(&error))
            }
            (Algorithm::EdDsa, None, Some(path), None) => {
                let text = files::read(path)?;
                let text = std::str::from_utf8(&text).unwrap_or_default();
                TokenKey::ed25519(tenant.clone(), kid, text).map_err(|error| in_file(path, error))
            }
            (Algorithm::EdDsa, ..) => Err(wrong(
                &"EdDSA needs either public_key or public_key_file, and no secret_file",
            )),
            (Algorithm::Hs256, None, None, Some(path)) => {
                let secret = stoa_secret::read(path)?;
                TokenKey::hs256(tenant.clone(), kid, secret).map_err(|error| in_file(path, error))
            }
            (Algorithm::Hs256, ..) => Err(wrong(&"HS256 needs secret_file, and no public key")),
        }
    }
}

impl Config {
    /// What join tokens are checked with.
    ///
    /// # Errors
    /// [`Failure::Config`]; [`Failure::File`] for what is in the files.
    pub(crate) fn token_keys(&self) -> Result<Keys, Failure> {
        let mut keys = Vec::new();
        for tenant in &self.tenants {
            keys.extend(tenant.token_keys()?);
        }
        Keys::new(keys).map_err(|error| Failure::Config(format!("token_keys: {error}")))
    }
}
