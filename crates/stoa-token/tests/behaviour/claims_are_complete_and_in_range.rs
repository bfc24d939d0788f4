//! Each claim that means something is there once, of its type and in its range.

use crate::support::*;
use serde_json::{Value, json};
use stoa_token::{MAX_NAME_BYTES, MAX_TOKEN_ID_LENGTH, Reason};

const REQUIRED: [&str; 8] = ["iss", "sub", "jti", "iat", "exp", "room", "role", "publish"];

fn with(name: &str, value: Value) -> Result<(), Reason> {
    let mut claims = claims();
    claims[name] = value;
    verify(&token(&claims)).map(|_| ())
}

#[test]
fn none_is_missing() {
    for name in REQUIRED {
        let mut claims = claims();
        claims.as_object_mut().expect("an object").remove(name);
        let verdict = verify(&token(&claims));
        assert_eq!(verdict, Err(Reason::ClaimsMalformed), "{name}");
    }
}

#[test]
fn none_is_there_twice() {
    let claims = claims().to_string();
    for name in REQUIRED.into_iter().chain(["name"]) {
        let value = &self::claims()[name];
        let twice = format!("{{\"{name}\":{value},{}", &claims[1..]);
        let token = signed(&header("EdDSA", "a1").to_string(), &twice, ed25519);
        assert_eq!(verify(&token), Err(Reason::ClaimsMalformed), "{name}");
    }
}

#[test]
fn each_is_of_its_type() {
    for name in ["iss", "sub", "jti", "room", "role", "name"] {
        for value in [json!(1), json!(["x"]), json!({}), json!(true), json!(null)] {
            let verdict = with(name, value.clone());
            assert_eq!(verdict, Err(Reason::ClaimsMalformed), "{name}: {value}");
        }
    }
    for name in ["iat", "exp", "nbf"] {
        for value in [json!("1"), json!(-1), json!(1.5), json!(1e40), json!(null)] {
            let verdict = with(name, value.clone());
            assert_eq!(verdict, Err(Reason::ClaimsMalformed), "{name}: {value}");
        }
    }
    for value in [
        json!("audio"),
        json!([1]),
        json!({"audio": true}),
        json!(null),
    ] {
        assert_eq!(with("publish", value), Err(Reason::ClaimsMalformed));
    }
    for value in [json!("true"), json!(1), json!(null)] {
        assert_eq!(with("once", value), Err(Reason::ClaimsMalformed));
    }
    for value in [json!(1), json!([1]), json!(null)] {
        assert_eq!(with("aud", value), Err(Reason::ClaimsMalformed));
    }
}

#[test]
fn each_is_in_its_range() {
    for name in ["sub", "jti", "room"] {
        let long = "x".repeat(MAX_TOKEN_ID_LENGTH + 1);
        for value in ["", "a b", "a/b", "é", &long] {
            let verdict = with(name, json!(value));
            assert_eq!(verdict, Err(Reason::ClaimInvalid), "{name}: {value}");
        }
    }
    for role in ["", "Speaker", "owner", "ROLE_SPEAKER"] {
        assert_eq!(with("role", json!(role)), Err(Reason::ClaimInvalid));
    }
    for publish in [json!(["video"]), json!(["audio", "audio"]), json!([""])] {
        assert_eq!(with("publish", publish), Err(Reason::ClaimInvalid));
    }
    assert_eq!(with("name", json!("x".repeat(MAX_NAME_BYTES))), Ok(()));
    let long = json!("x".repeat(MAX_NAME_BYTES + 1));
    assert_eq!(with("name", long), Err(Reason::ClaimInvalid));
}

#[test]
fn they_are_an_object() {
    for text in ["", "null", "[]", "\"x\"", "1", "{", "{}{}", "{} x"] {
        let token = signed(&header("EdDSA", "a1").to_string(), text, ed25519);
        assert_eq!(verify(&token), Err(Reason::ClaimsMalformed), "{text:?}");
    }
}
