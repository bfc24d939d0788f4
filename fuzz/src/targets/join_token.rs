//! A join token: as it comes, or with a header or claims of the input's and a valid signature, by the first byte.
//!
//! Only what our key has signed lets in, with the algorithm and the type that it has to have; and what it grants is
//! within the limits, whatever the claims say.

use std::{
    cell::LazyCell,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use stoa_core::TenantId;
use stoa_token::{
    Claims, Grant, Keys, LEEWAY, LONGEST_LIFETIME, MAX_NAME_BYTES, MAX_TOKEN_BYTES, TYPE, TokenKey,
    Unverified, Verifier,
};

use crate::input::Input;

/// The time at which tokens are judged, in seconds since 1970.
pub(crate) const NOW: u64 = 2_000_000_000;

const SECRET: &[u8] = b"a secret of fuzzing, of 32 bytes or more";

/// What a good token's header is.
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"stoa-join+jwt","kid":"k1"}"#;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = input.byte() % 3;
    let text = input.rest();
    let token = match kind {
        0 => String::from_utf8_lossy(text).into_owned(),
        1 => signed(HEADER.as_bytes(), text),
        _ => signed(text, &serde_json::to_vec(&claims()).expect("JSON")),
    };
    let _ = Unverified::read(&token);
    if let Ok(grant) = verify(&token) {
        check(&token, &grant);
    }
}

fn verify(token: &str) -> Result<Grant, stoa_token::Refused> {
    thread_local! {
        static VERIFIER: LazyCell<Verifier> = LazyCell::new(|| {
            let key = TokenKey::hs256(tenant(), "k1", SECRET.to_vec().into());
            let keys = Keys::new([key.expect("a key")]);
            Verifier::new(keys.expect("keys"))
        });
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    VERIFIER.with(|verifier| verifier.verify(token, now))
}

fn tenant() -> TenantId {
    TenantId::new("acme").expect("an identifier")
}

/// Whatever is granted was signed by us, and is no more than may be.
fn check(token: &str, grant: &Grant) {
    assert!(token.len() <= MAX_TOKEN_BYTES);
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let ours = mac(message.as_bytes());
    assert_eq!(
        URL_SAFE_NO_PAD.decode(signature),
        Ok(ours),
        "not our signature"
    );
    let read = Unverified::read(token).expect("it can be read");
    assert_eq!((&*read.algorithm, &*read.key), ("HS256", "k1"));
    assert!(read.kind.eq_ignore_ascii_case(TYPE));
    assert_eq!(grant.tenant, tenant());
    assert_eq!(grant.room.tenant(), "acme");
    assert!(grant.display_name.len() <= MAX_NAME_BYTES);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    assert!(grant.issued <= now + LEEWAY && now < grant.expires + LEEWAY);
    let lifetime = grant.expires.duration_since(grant.issued);
    assert!(lifetime.is_ok_and(|lifetime| lifetime <= LONGEST_LIFETIME));
    // What is written of the claims again grants the same.
    let again = serde_json::to_vec(&read.claims).expect("JSON");
    assert_eq!(
        verify(&signed(HEADER.as_bytes(), &again)).as_ref(),
        Ok(grant)
    );
}

/// Good claims.
pub(crate) fn claims() -> Claims {
    Claims {
        iss: "acme".into(),
        sub: "ada".into(),
        jti: "t-1".into(),
        iat: NOW,
        nbf: None,
        exp: NOW + 60,
        aud: None,
        room: "hall".into(),
        role: "speaker".into(),
        publish: vec!["audio".into()],
        name: "Ada".into(),
        once: false,
    }
}

/// A token of these parts, with a valid signature.
pub(crate) fn signed(header: &[u8], claims: &[u8]) -> String {
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(&mac(message.as_bytes()));
    format!("{message}.{signature}")
}

fn mac(message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length will do");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
