//! The keys that tokens are checked with.

use std::{collections::HashMap, fmt};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};
use stoa_core::{InvalidId, ParticipantId, TenantId};
use zeroize::Zeroizing;

/// The shortest secret for HS256, in bytes: as long as its hash (RFC 7518, section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// How many keys a node takes: a few for each of many tenants.
pub const MAX_KEYS: usize = 4096;

/// Bytes of an Ed25519 public key (RFC 8032, section 5.1.5).
const ED25519_BYTES: usize = 32;

/// What stands before them in a SubjectPublicKeyInfo (RFC 8410, section 4).
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What a key signs with. It is a property of the key, and no token has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// EdDSA with Ed25519 (RFC 8037): the node has the public half only, and cannot make tokens.
    EdDsa,
    /// HMAC with SHA-256 (RFC 7518, section 3.2): who can check can also sign.
    Hs256,
}

impl Algorithm {
    /// Its name as `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    pub(crate) fn of_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
        }
    }
}

/// Why a key is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Its `kid` is not an identifier.
    #[error("kid {0}")]
    Id(InvalidId),
    /// It is not an Ed25519 public key.
    #[error(
        "is not an Ed25519 public key: 32 bytes as base64url (the `x` of a JWK), or a PEM \
         `PUBLIC KEY`"
    )]
    PublicKey,
    /// It is too short.
    #[error("the secret has {0} bytes; HS256 needs at least {MIN_SECRET_BYTES}")]
    ShortSecret(usize),
    /// Another key has this `kid`. One is enough for each, across all tenants, so that a token's key is
    /// never in doubt.
    #[error("kid {0:?} is there twice; each key needs one of its own, across all tenants")]
    Duplicate(String),
    /// There are more than [`MAX_KEYS`].
    #[error("there are more than {MAX_KEYS} token keys")]
    TooMany,
}

/// One key of a tenant's. Several may be live at a time, so that one can take the place of another.
#[derive(Clone)]
pub struct TokenKey {
    pub(crate) id: String,
    pub(crate) tenant: TenantId,
    pub(crate) algorithm: Algorithm,
    pub(crate) material: DecodingKey,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.algorithm.name();
        write!(f, "TokenKey({} of {}, {name})", self.id, self.tenant)
    }
}

impl TokenKey {
    /// A public key: base64url of its 32 bytes (the `x` of a JWK, RFC 8037), or PEM (RFC 8410).
    ///
    /// # Errors
    /// [`KeyError::Id`], [`KeyError::PublicKey`].
    pub fn ed25519(tenant: TenantId, id: &str, text: &str) -> Result<Self, KeyError> {
        let bytes = match SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()) {
            Ok(info) => info.strip_prefix(&ED25519_SPKI).map(<[u8]>::to_vec),
            Err(_) => URL_SAFE_NO_PAD.decode(text.trim()).ok(),
        };
        let bytes = bytes
            .filter(|bytes| bytes.len() == ED25519_BYTES)
            .ok_or(KeyError::PublicKey)?;
        Self::new(
            tenant,
            id,
            Algorithm::EdDsa,
            DecodingKey::from_ed_der(&bytes),
        )
    }

    /// A secret: a file's content. One line break at its end does not belong to it, so that a line of
    /// text is what it looks like, and what a signalling service has in its environment.
    ///
    /// # Errors
    /// [`KeyError::Id`], [`KeyError::ShortSecret`].
    pub fn hs256(tenant: TenantId, id: &str, file: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let secret = secret(&file)?;
        Self::new(
            tenant,
            id,
            Algorithm::Hs256,
            DecodingKey::from_secret(secret),
        )
    }

    fn new(
        tenant: TenantId,
        id: &str,
        algorithm: Algorithm,
        material: DecodingKey,
    ) -> Result<Self, KeyError> {
        // It has the alphabet and the length of all identifiers.
        ParticipantId::new(id).map_err(KeyError::Id)?;
        Ok(Self {
            id: id.to_owned(),
            tenant,
            algorithm,
            material,
        })
    }

    /// Its `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// The secret in a file's content.
pub(crate) fn secret(file: &[u8]) -> Result<&[u8], KeyError> {
    let secret = file.strip_suffix(b"\n").unwrap_or(file);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    match secret.len() < MIN_SECRET_BYTES {
        true => Err(KeyError::ShortSecret(secret.len())),
        false => Ok(secret),
    }
}

/// All keys of a node, by their `kid`.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<String, TokenKey>);

impl Keys {
    /// A node's keys.
    ///
    /// # Errors
    /// [`KeyError::Duplicate`], [`KeyError::TooMany`].
    pub fn new(keys: impl IntoIterator<Item = TokenKey>) -> Result<Self, KeyError> {
        let mut known = HashMap::new();
        for key in keys {
            if known.len() == MAX_KEYS {
                return Err(KeyError::TooMany);
            }
            if let Some(other) = known.insert(key.id.clone(), key) {
                return Err(KeyError::Duplicate(other.id));
            }
        }
        Ok(Self(known))
    }

    /// The key of this `kid`.
    pub fn get(&self, id: &str) -> Option<&TokenKey> {
        self.0.get(id)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
