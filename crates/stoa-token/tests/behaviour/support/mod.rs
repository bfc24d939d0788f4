//! Tokens made by hand, so that they can be wrong in any way.
use std::time::{Duration, SystemTime};

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stoa_core::TenantId;
use stoa_token::{Grant, Keys, Reason, TYPE, TokenKey, Verifier};

/// Now, in seconds.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const SECRET: &[u8] = b"a secret of thirty-two bytes and more";
const SEED: [u8; 32] = [7; 32];

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("an identifier")
}

pub(crate) fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&SEED).expect("a seed")
}

pub(crate) fn public_key() -> Vec<u8> {
    pair().public_key().as_ref().to_vec()
}

/// A node with two tenants: `acme` has an Ed25519 key `a1` and a secret `a2`, `other` a secret `o1`.
pub(crate) fn verifier() -> Verifier {
    let public = URL_SAFE_NO_PAD.encode(public_key());
    let keys = [
        TokenKey::ed25519(tenant("acme"), "a1", &public),
        TokenKey::hs256(tenant("acme"), "a2", SECRET.to_vec().into()),
        TokenKey::hs256(
            tenant("other"),
            "o1",
            b"another secret of more than 32 bytes".to_vec().into(),
        ),
    ];
    let keys = keys.map(|key| key.expect("a key"));
    Verifier::new(Keys::new(keys).expect("keys"))
}

pub(crate) fn header(alg: &str, kid: &str) -> Value {
    json!({"alg": alg, "typ": TYPE, "kid": kid})
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": "acme", "sub": "ada", "jti": "t-1", "iat": NOW, "exp": NOW + 60,
        "room": "hall", "role": "speaker", "publish": ["audio"], "name": "Ada",
    })
}

/// The good claims with some of them different; `null` takes one out.
pub(crate) fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => claims.as_object_mut().expect("an object").remove(name),
            value => claims
                .as_object_mut()
                .expect("an object")
                .insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// A token of these texts, signed over as they are.
pub(crate) fn signed(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(crate) fn ed25519(message: &[u8]) -> Vec<u8> {
    pair().sign(message).as_ref().to_vec()
}

pub(crate) fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

/// A token that is good but for these claims.
pub(crate) fn token(claims: &Value) -> String {
    signed(
        &header("EdDSA", "a1").to_string(),
        &claims.to_string(),
        ed25519,
    )
}

pub(crate) fn verify(token: &str) -> Result<Grant, Reason> {
    verifier()
        .verify(token, at(NOW))
        .map_err(|refused| refused.reason)
}
