//! What a token says it is signed with is believed only where it is what its key signs with (RFC 8725,
//! sections 2.1 and 3.1).

use crate::support::*;
use stoa_token::Reason;

#[test]
fn none_is_nobodys() {
    for alg in ["none", "None", "NONE", ""] {
        for kid in ["a1", "a2"] {
            let token = signed(&header(alg, kid).to_string(), &claims().to_string(), |_| {
                Vec::new()
            });
            assert_eq!(verify(&token), Err(Reason::WrongAlgorithm), "{alg:?} {kid}");
        }
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let claims = claims().to_string();
    for secret in [public_key(), public_pem().into_bytes()] {
        // Claimed to be an HMAC, by the key whose public half everybody may know...
        let confused = signed(&header("HS256", "a1").to_string(), &claims, hs256(&secret));
        assert_eq!(verify(&confused), Err(Reason::WrongAlgorithm));
        // ... or not even claimed.
        let lied = signed(&header("EdDSA", "a1").to_string(), &claims, hs256(&secret));
        assert_eq!(verify(&lied), Err(Reason::BadSignature));
    }
}

fn public_pem() -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut der = vec![48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];
    der.extend(public_key());
    let text = STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

#[test]
fn a_key_signs_with_one_algorithm() {
    let claims = claims().to_string();
    for (alg, kid) in [
        ("EdDSA", "a2"),
        ("HS384", "a2"),
        ("HS512", "a2"),
        ("RS256", "a1"),
        ("ES256", "a1"),
        ("hs256", "a2"),
        ("Ed25519", "a1"),
    ] {
        let token = signed(&header(alg, kid).to_string(), &claims, hs256(SECRET));
        assert_eq!(verify(&token), Err(Reason::WrongAlgorithm), "{alg} {kid}");
    }
}

#[test]
fn every_part_is_under_the_signature() {
    let good = token(&claims());
    let other = token(&claims_with(serde_json::json!({"role": "moderator"})));
    let (good, other): (Vec<_>, Vec<_>) = (good.split('.').collect(), other.split('.').collect());
    let spliced = format!("{}.{}.{}", good[0], other[1], good[2]);
    assert_eq!(verify(&spliced), Err(Reason::BadSignature));
    for signature in ["", "AAAA", other[2]] {
        let forged = format!("{}.{}.{signature}", good[0], good[1]);
        assert_eq!(verify(&forged), Err(Reason::BadSignature), "{signature:?}");
    }
}
