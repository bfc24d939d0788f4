//! Join tokens of the tenant `home`, as its signalling service makes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stoa_core::TenantId;
use stoa_token::{Claims, Keys, SigningKey, TokenKey, Verifier, generate};

use super::Identity;

/// The secret of the key `h`.
const SECRET: &[u8] = b"a secret of thirty-two bytes and more";

/// The tenant's keys `e` (EdDSA) and `h` (HS256), of which the node knows what checks them.
pub struct Tokens {
    key: SigningKey,
    /// The public half of `e`, as everybody may know it.
    pub public: String,
    pub verifier: Verifier,
}

impl Tokens {
    pub fn new() -> Self {
        let (private, public) = generate().expect("random numbers");
        let home = || TenantId::new("home").expect("an identifier");
        let keys = [
            TokenKey::ed25519(home(), "e", &public).expect("a key"),
            TokenKey::hs256(home(), "h", SECRET.to_vec().into()).expect("a key"),
        ];
        Self {
            key: SigningKey::ed25519(private.as_bytes()).expect("a key"),
            public,
            verifier: Verifier::new(Keys::new(keys).expect("keys")),
        }
    }

    /// A token, signed with `e`.
    pub fn mint(&self, claims: &Claims) -> String {
        self.mint_as("e", claims)
    }

    /// A token that is signed with `e` and says that it is signed with another one.
    pub fn mint_as(&self, kid: &str, claims: &Claims) -> String {
        self.key.mint(kid, claims).expect("a token")
    }

    /// Who shows this token.
    pub fn holder(&self, claims: &Claims) -> Identity {
        showing(self.mint(claims))
    }
}

/// Who shows this as a token.
pub fn showing(token: String) -> Identity {
    Identity::Key(token.leak())
}

/// What the token of a speaker claims who may come into the room `r`.
pub fn claims(who: &str, made: SystemTime) -> Claims {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).expect("later").as_secs();
    Claims {
        iss: "home".into(),
        sub: who.into(),
        jti: format!("{who}-{}", seconds(made)),
        iat: seconds(made),
        nbf: None,
        exp: seconds(made + Duration::from_secs(300)),
        aud: None,
        room: "r".into(),
        role: "speaker".into(),
        publish: vec!["audio".into()],
        name: who.to_uppercase(),
        once: false,
    }
}
