//! What a good token says is what its holder gets, whoever signed it and however.

use crate::support::*;
use serde_json::json;
use stoa_core::{Role, RoomId};
use stoa_token::{Audience, Claims, Keys, Publish, SigningKey, TokenKey, Verifier, generate};

#[test]
fn each_claim_is_in_the_grant() {
    let grant = verify(&token(&claims())).expect("is good");
    assert_eq!(grant.tenant, tenant("acme"));
    assert_eq!(
        Ok(grant.room),
        RoomId::of_tenant(&tenant("acme"), "hall"),
        "the room is the tenant's"
    );
    assert_eq!(grant.participant.as_str(), "ada");
    assert_eq!(
        (grant.role, grant.display_name.as_str()),
        (Role::Speaker, "Ada")
    );
    let audio = Publish {
        audio: true,
        music: false,
    };
    assert_eq!(grant.publish, audio);
    assert_eq!((grant.issued, grant.expires), (at(NOW), at(NOW + 60)));
    assert_eq!((grant.id.as_str(), grant.once), ("t-1", false));
}

#[test]
fn an_hs256_key_is_as_good() {
    let token = signed(
        &header("HS256", "a2").to_string(),
        &claims().to_string(),
        hs256(SECRET),
    );
    assert_eq!(verify(&token).map(|grant| grant.id), Ok("t-1".to_owned()));
}

#[test]
fn roles_and_media_have_their_names() {
    for (role, publish, expected) in [
        ("listener", json!([]), (Role::Listener, false, false)),
        ("speaker", json!(["music"]), (Role::Speaker, false, true)),
        (
            "moderator",
            json!(["music", "audio"]),
            (Role::Moderator, true, true),
        ),
    ] {
        let claims = claims_with(json!({"role": role, "publish": publish}));
        let grant = verify(&token(&claims)).expect("is good");
        let granted = (grant.role, grant.publish.audio, grant.publish.music);
        assert_eq!(granted, expected);
        assert_eq!(grant.publish.is_nothing(), role == "listener");
    }
}

#[test]
fn what_may_be_left_out_may_be_left_out_and_what_means_nothing_may_be_there() {
    let few = verify(&token(&claims_with(json!({"name": null})))).expect("is good");
    assert_eq!(few.display_name, "");
    let more = json!({
        "nbf": NOW, "aud": ["x", "stoa"], "once": true, "scope": "anything", "roles": {"a": 1}
    });
    let more = verify(&token(&claims_with(more))).expect("is good");
    assert!(more.once);
}

#[test]
fn what_is_minted_is_good() {
    let (private, public) = generate().expect("randomness");
    let claims = Claims {
        iss: "acme".to_owned(),
        sub: "ada".to_owned(),
        jti: "x".to_owned(),
        iat: NOW,
        nbf: None,
        exp: NOW + 60,
        aud: Some(Audience::One("stoa".to_owned())),
        room: "hall".to_owned(),
        role: "listener".to_owned(),
        publish: Vec::new(),
        name: String::new(),
        once: true,
    };
    let secret = b"0123456789abcdef0123456789abcdef\n";
    let pairs = [
        (
            SigningKey::ed25519(private.as_bytes()),
            TokenKey::ed25519(tenant("acme"), "k", &public),
        ),
        (
            SigningKey::hs256(secret),
            TokenKey::hs256(tenant("acme"), "k", secret.to_vec().into()),
        ),
    ];
    for (signing, checking) in pairs {
        let token = signing
            .and_then(|key| key.mint("k", &claims))
            .expect("made");
        let keys = Keys::new([checking.expect("a key")]).expect("keys");
        let grant = Verifier::new(keys)
            .verify(&token, at(NOW))
            .expect("is good");
        assert!(grant.once && grant.publish.is_nothing());
    }
}
