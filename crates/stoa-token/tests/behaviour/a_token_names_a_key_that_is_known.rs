//! Keys come and go by their `kid`; a token without one, or with another one, is refused.

use crate::support::*;
use serde_json::json;
use stoa_token::{KeyError, Keys, MAX_KEYS, Reason, TYPE, TokenKey, Verifier};

#[test]
fn a_token_without_a_key_is_refused() {
    for header in [
        json!({"alg": "EdDSA", "typ": TYPE}),
        json!({"alg": "EdDSA", "typ": TYPE, "kid": ""}),
    ] {
        let token = signed(&header.to_string(), &claims().to_string(), ed25519);
        assert_eq!(verify(&token), Err(Reason::KeyMissing));
    }
}

#[test]
fn a_key_that_is_not_known_is_not_looked_for() {
    for kid in ["a3", "A1", "a1 ", "../a1", "'; drop table keys"] {
        let token = signed(
            &header("EdDSA", kid).to_string(),
            &claims().to_string(),
            ed25519,
        );
        assert_eq!(verify(&token), Err(Reason::KeyUnknown), "{kid}");
    }
}

#[test]
fn one_key_takes_the_place_of_another() {
    let key = |kid: &str, secret: &str| {
        TokenKey::hs256(tenant("acme"), kid, secret.as_bytes().to_vec().into()).expect("a key")
    };
    let (old, new) = ("the old secret, of at least 32 bytes", SECRET);
    let new = std::str::from_utf8(new).expect("text");
    let with = |keys: Vec<TokenKey>| Verifier::new(Keys::new(keys).expect("keys"));
    let token = |kid: &str, secret: &str| {
        let header = header("HS256", kid).to_string();
        signed(&header, &claims().to_string(), hs256(secret.as_bytes()))
    };
    let both = with(vec![key("old", old), key("new", new)]);
    assert!(both.verify(&token("old", old), at(NOW)).is_ok());
    assert!(both.verify(&token("new", new), at(NOW)).is_ok());
    let mixed = both.verify(&token("new", old), at(NOW));
    assert_eq!(
        mixed.map_err(|refused| refused.reason),
        Err(Reason::BadSignature)
    );
    let after = with(vec![key("new", new)]);
    let late = after.verify(&token("old", old), at(NOW));
    assert_eq!(
        late.map_err(|refused| refused.reason),
        Err(Reason::KeyUnknown)
    );
}

#[test]
fn what_is_no_key_is_refused_before_it_is_used() {
    let short = TokenKey::hs256(tenant("a"), "k", vec![b'x'; 31].into());
    assert_eq!(short.map(|_| ()), Err(KeyError::ShortSecret(31)));
    // The line break at the end is not part of it.
    let line = TokenKey::hs256(
        tenant("a"),
        "k",
        b"0123456789abcdef0123456789abcde\r\n".to_vec().into(),
    );
    assert_eq!(line.map(|_| ()), Err(KeyError::ShortSecret(31)));
    for text in [
        "",
        "AAAA",
        "not base64!",
        "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----",
    ] {
        let key = TokenKey::ed25519(tenant("a"), "k", text);
        assert_eq!(key.map(|_| ()), Err(KeyError::PublicKey), "{text}");
    }
    let key = |kid: &str| TokenKey::hs256(tenant("a"), kid, SECRET.to_vec().into());
    assert!(matches!(key("a b").map(|_| ()), Err(KeyError::Id(_))));
    let twice = [key("k").expect("a key"), key("k").expect("a key")];
    let twice = Keys::new(twice).map(|_| ());
    assert_eq!(twice, Err(KeyError::Duplicate("k".to_owned())));
    let many = (0..=MAX_KEYS).map(|n| key(&n.to_string()).expect("a key"));
    assert_eq!(Keys::new(many).map(|_| ()), Err(KeyError::TooMany));
}

#[test]
fn no_secret_is_shown() {
    let key = TokenKey::hs256(tenant("acme"), "k", SECRET.to_vec().into()).expect("a key");
    let keys = Keys::new([key]).expect("keys");
    let shown = format!("{:?}", Verifier::new(keys));
    assert!(shown.contains("k of acme, HS256"), "{shown}");
    assert!(
        !shown.contains("secret") && !shown.contains("97, 32"),
        "{shown}"
    );
}
