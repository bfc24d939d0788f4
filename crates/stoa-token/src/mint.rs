//! Making tokens, as a signalling service does. A node makes none.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header, encode};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use stoa_core::TenantId;
use zeroize::Zeroizing;

use crate::{
    claims::Claims,
    header::TYPE,
    keys::{Algorithm, KeyError, TokenKey, secret},
};

/// Why no token was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The file is not a private key.
    #[error("is not an Ed25519 private key (PEM `PRIVATE KEY`, PKCS #8)")]
    PrivateKey,
    /// The secret is too short.
    #[error(transparent)]
    Secret(#[from] KeyError),
    /// No key could be made.
    #[error("the system gave no randomness for a key")]
    Randomness,
    /// It could not be signed.
    #[error("the token could not be signed")]
    Signing,
}

/// A key that signs tokens.
pub struct SigningKey {
    algorithm: Algorithm,
    material: EncodingKey,
    /// The public half as base64url, if it has one.
    public: Option<String>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm.name())
    }
}

impl SigningKey {
    /// Reads an Ed25519 private key in PEM.
    ///
    /// # Errors
    /// [`MintError::PrivateKey`].
    pub fn ed25519(pem: &[u8]) -> Result<Self, MintError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| MintError::PrivateKey)?;
        let der = Zeroizing::new(der);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|_| MintError::PrivateKey)?;
        Ok(Self {
            algorithm: Algorithm::EdDsa,
            material: EncodingKey::from_ed_der(der.secret_pkcs8_der()),
            public: Some(URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())),
        })
    }

    /// Reads a secret; see [`crate::TokenKey::hs256`].
    ///
    /// # Errors
    /// [`MintError::Secret`].
    pub fn hs256(file: &[u8]) -> Result<Self, MintError> {
        Ok(Self {
            algorithm: Algorithm::Hs256,
            material: EncodingKey::from_secret(secret(file)?),
            public: None,
        })
    }

    /// What checks its tokens.
    ///
    /// # Errors
    /// [`MintError::Secret`] if the tenant's name for it is none.
    pub fn checking(&self, tenant: TenantId, kid: &str) -> Result<TokenKey, MintError> {
        Ok(match &self.public {
            Some(public) => TokenKey::ed25519(tenant, kid, public)?,
            None => TokenKey::hs256(tenant, kid, self.material.as_bytes().to_vec().into())?,
        })
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Makes a token. The claims are signed as they are: whether they are good is for the node to say.
    ///
    /// # Errors
    /// [`MintError::Signing`].
    pub fn mint(&self, kid: &str, claims: &Claims) -> Result<String, MintError> {
        let mut header = Header::new(self.algorithm.of_library());
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(kid.to_owned());
        encode(&header, claims, &self.material).map_err(|_| MintError::Signing)
    }
}

/// A new pair of Ed25519 keys: the private one as PEM, for [`SigningKey::ed25519`], and the public one as
/// base64url, for [`crate::TokenKey::ed25519`].
///
/// # Errors
/// [`MintError::Randomness`].
pub fn generate() -> Result<(Zeroizing<String>, String), MintError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| MintError::Randomness)?;
    let private = pair.to_pkcs8v1().map_err(|_| MintError::Randomness)?;
    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    Ok((pem(private.as_ref()), public))
}

/// RFC 7468, section 10. The key is shorter than two lines.
fn pem(der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(der));
    let (first, second) = encoded.split_at(encoded.len().min(64));
    let mut text = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
    for line in [first, second].into_iter().filter(|line| !line.is_empty()) {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}
