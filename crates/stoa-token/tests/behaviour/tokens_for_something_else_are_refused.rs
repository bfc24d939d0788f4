//! A token of another kind, of another tenant or for another service is none here, however well it is
//! signed.

use crate::support::*;
use serde_json::json;
use stoa_token::{Reason, TYPE};

#[test]
fn a_token_of_another_type_is_refused() {
    for typ in [
        "JWT",
        "at+jwt",
        "",
        "stoa-join",
        "application/stoa-join+jwt",
    ] {
        let header = json!({"alg": "EdDSA", "typ": typ, "kid": "a1"});
        let token = signed(&header.to_string(), &claims().to_string(), ed25519);
        assert_eq!(verify(&token), Err(Reason::WrongType), "{typ:?}");
    }
    let none = json!({"alg": "EdDSA", "kid": "a1"});
    let token = signed(&none.to_string(), &claims().to_string(), ed25519);
    assert_eq!(verify(&token), Err(Reason::WrongType));
    let other_case = json!({"alg": "EdDSA", "typ": TYPE.to_uppercase(), "kid": "a1"});
    let token = signed(&other_case.to_string(), &claims().to_string(), ed25519);
    assert!(verify(&token).is_ok());
}

#[test]
fn a_tenants_key_lets_into_its_own_rooms_only() {
    let foreign = signed(
        &header("HS256", "o1").to_string(),
        &claims().to_string(),
        hs256(b"another secret of more than 32 bytes"),
    );
    assert_eq!(verify(&foreign), Err(Reason::ForeignTenant));
    for room in ["../acme/hall", "acme/hall", "other/hall"] {
        let escaping = token(&claims_with(json!({"room": room})));
        assert_eq!(verify(&escaping), Err(Reason::ClaimInvalid), "{room}");
    }
}

#[test]
fn a_token_for_another_service_is_refused() {
    for aud in [json!("accounts"), json!([]), json!(["accounts", "Stoa"])] {
        let token = token(&claims_with(json!({"aud": aud})));
        assert_eq!(verify(&token), Err(Reason::WrongAudience), "{aud}");
    }
    assert!(verify(&token(&claims_with(json!({"aud": "stoa"})))).is_ok());
}
