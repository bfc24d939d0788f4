//! Whatever comes as a token, the answer is a grant or a reason, and only a signature makes a grant.

use crate::support::*;
use proptest::prelude::*;
use serde_json::Value;
use stoa_token::{MAX_TOKEN_BYTES, Reason, Unverified};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text(text in ".{0,600}") {
        prop_assert!(verify(&text).is_err());
        let _ = Unverified::read(&text);
    }

    #[test]
    fn any_three_parts(header in json_value(), claims in json_value(), signature: Vec<u8>) {
        let token = signed(&header.to_string(), &claims.to_string(), |_| signature.clone());
        let reason = verify(&token).expect_err("nobody signed it");
        prop_assert_eq!(reason == Reason::Oversized, token.len() > MAX_TOKEN_BYTES);
        let _ = Unverified::read(&token);
    }

    #[test]
    fn any_claims_that_are_signed(claim in "iss|sub|jti|iat|nbf|exp|aud|room|role|publish|name|once",
                                  value in json_value()) {
        let mut claims = claims();
        claims[&claim] = value;
        let token = token(&claims);
        if let Ok(grant) = verify(&token) {
            prop_assert_eq!(grant.tenant.as_str(), "acme");
            prop_assert!(grant.expires > grant.issued);
        }
    }

    #[test]
    fn one_bit_of_a_good_one(at in any::<prop::sample::Index>(), bit in 0..7u8) {
        let good = token(&claims());
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let bad = String::from_utf8(bytes).expect("seven bits are a character");
        prop_assert!(verify(&bad).is_err());
    }
}
