//! What is not three parts of base64url, or is too long, is not looked into; and a header says three
//! things.

use crate::support::*;
use serde_json::json;
use stoa_token::{MAX_TOKEN_BYTES, Reason, Unverified};

#[test]
fn a_long_one_is_not_looked_into() {
    let good = token(&claims());
    let filler = MAX_TOKEN_BYTES - good.len();
    let exact = |extra: usize| {
        // Four characters for each three bytes, and some more claims than are needed.
        let mut claims = claims();
        claims["filler"] = json!("x".repeat((filler + extra) * 3 / 4 - 16));
        token(&claims)
    };
    assert!(exact(0).len() <= MAX_TOKEN_BYTES && verify(&exact(0)).is_ok());
    assert_eq!(verify(&exact(100)), Err(Reason::Oversized));
    assert_eq!(verify(&"x".repeat(1 << 20)), Err(Reason::Oversized));
}

#[test]
fn three_parts_and_a_point_between_them() {
    let good = token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    for bad in [
        String::new(),
        ".".to_owned(),
        parts[0].to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{}.{}", parts[1], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!(" {good}"),
    ] {
        assert_eq!(verify(&bad), Err(Reason::NotCompact), "{bad:?}");
    }
    // Unencoded, in the other alphabet, with a blank: the signature is over what is there.
    for bad in [
        format!(
            "{}.{}.{}",
            parts[0],
            claims().to_string().replace('.', ""),
            parts[2]
        ),
        format!("{good} "),
        format!("{good}="),
    ] {
        assert_eq!(verify(&bad), Err(Reason::BadSignature), "{bad:?}");
    }
}

#[test]
fn a_header_brings_no_key_and_no_extension() {
    let good = header("EdDSA", "a1");
    for (name, value) in [
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"})),
        ("jku", json!("https://example.org/keys")),
        ("x5u", json!("https://example.org/cert")),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        let mut header = good.clone();
        header[name] = value;
        let token = signed(&header.to_string(), &claims().to_string(), ed25519);
        assert_eq!(verify(&token), Err(Reason::HeaderMalformed), "{name}");
    }
}

#[test]
fn a_header_is_an_object_that_says_each_thing_once() {
    let good = header("EdDSA", "a1").to_string();
    let doubled = ["\"alg\":\"none\"", "\"kid\":\"o1\"", "\"typ\":\"JWT\""];
    let doubled = doubled.map(|more| format!("{{{more},{}", &good[1..]));
    let others = ["", "null", "[]", "{", "{\"alg\":1}", "{\"typ\":\"x\"}"];
    for text in doubled.iter().map(String::as_str).chain(others) {
        let token = signed(text, &claims().to_string(), ed25519);
        assert_eq!(verify(&token), Err(Reason::HeaderMalformed), "{text:?}");
    }
}

#[test]
fn looking_into_one_believes_nothing() {
    let forged = signed(
        &header("none", "zz").to_string(),
        &claims_with(json!({"exp": 1})).to_string(),
        |_| Vec::new(),
    );
    let seen = Unverified::read(&forged).expect("it can be read");
    assert_eq!((seen.algorithm.as_str(), seen.key.as_str()), ("none", "zz"));
    assert_eq!((seen.claims.exp, seen.claims.sub.as_str()), (1, "ada"));
}
