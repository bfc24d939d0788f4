//! Whatever is wrong with a join token, whoever shows it hears the same, no media worker hears of it, and the
//! node counts by the reason. An address from which too many come is not looked at for a while; keys are.

use crate::support;

use std::{
    collections::BTreeSet,
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use crate::support::{Identity, Rig, Rooms, Wire, assert_reason, create, tokens};
use stoa_api::v1::*;
use stoa_token::{Claims, Reason, SigningKey};
use tonic::{Code, Status};

/// `{"alg":"none","typ":"stoa-join+jwt","kid":"e"}` as base64url.
const ALG_NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoic3RvYS1qb2luK2p3dCIsImtpZCI6ImUifQ";

/// One bad token for each reason that can be had without a key of the tenant's own being misused.
fn bad(tokens: &tokens::Tokens) -> Vec<(Reason, String)> {
    let now = SystemTime::now();
    let ago = |seconds| tokens::claims("a", now - Duration::from_secs(seconds));
    let good = ago(0);
    let with = |change: fn(&mut Claims)| {
        let mut claims = good.clone();
        change(&mut claims);
        tokens.mint(&claims)
    };
    let token = tokens.mint(&good);
    let parts: Vec<_> = token.split('.').collect();
    let [_, body, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    let confused = SigningKey::hs256(tokens.public.as_bytes()).expect("long enough");
    let forged = tokens::Tokens::new().mint(&good);
    let future = tokens::claims("a", now + Duration::from_secs(300));
    vec![
        (
            Reason::Oversized,
            with(|claims| claims.name = "x".repeat(5000)),
        ),
        (Reason::NotCompact, format!("!.{body}.{signature}")),
        (
            Reason::HeaderMalformed,
            format!("{body}.{body}.{signature}"),
        ),
        (Reason::KeyMissing, tokens.mint_as("", &good)),
        (Reason::KeyUnknown, tokens.mint_as("x", &good)),
        (Reason::WrongAlgorithm, format!("{ALG_NONE}.{body}.")),
        (
            Reason::WrongAlgorithm,
            confused.mint("e", &good).expect("a token"),
        ),
        (Reason::WrongAlgorithm, tokens.mint_as("h", &good)),
        (Reason::BadSignature, forged),
        (
            Reason::ClaimInvalid,
            with(|claims| claims.role = "owner".into()),
        ),
        (
            Reason::ForeignTenant,
            with(|claims| claims.iss = "foreign".into()),
        ),
        (Reason::Expired, tokens.mint(&ago(600))),
        (Reason::NotYetValid, tokens.mint(&future)),
        (Reason::LifetimeTooLong, with(|claims| claims.exp += 86_400)),
    ]
}

async fn refused(rooms: &mut Rooms) -> Status {
    let request = support::join_request("r", "a");
    let result = rooms.join(request).await;
    assert_reason(result, ErrorReason::TokenInvalid, Code::Unauthenticated)
}

support::on_both_transports!(all_alike);
async fn all_alike(wire: Wire) {
    let tokens = tokens::Tokens::new();
    let rig = Rig::with(|config| config.tokens = tokens.verifier.clone()).await;
    create(&mut rig.rooms(wire), "r").await;
    let before = rig.media.commands.load(Ordering::Relaxed);
    let mut heard = BTreeSet::new();
    let bad = bad(&tokens);
    for (reason, token) in &bad {
        let mut rooms = rig.rooms_of(wire, tokens::showing(token.clone()));
        let status = refused(&mut rooms).await;
        heard.insert((status.message().to_owned(), status.details().to_vec()));
        let count = |reason: &Reason| {
            let mut counts = rig.handle.refused_tokens();
            counts
                .find(|(one, _)| one == reason)
                .map(|(_, count)| count)
        };
        let expected = bad.iter().take_while(|(_, one)| one != token);
        let expected = 1 + expected.filter(|(one, _)| one == reason).count();
        assert_eq!(count(reason), Some(expected as u64), "{reason:?}");
    }
    assert_eq!(heard.len(), 1, "{heard:?}");
    let all: u64 = rig.handle.refused_tokens().map(|(_, count)| count).sum();
    assert_eq!(all, bad.len() as u64);
    assert_eq!(rig.media.commands.load(Ordering::Relaxed), before);
}

support::on_both_transports!(not_without_end);
async fn not_without_end(wire: Wire) {
    const MOST: u32 = 5;
    let tokens = tokens::Tokens::new();
    let rig = Rig::with(|config| {
        config.tokens = tokens.verifier.clone();
        config.service.refusals_per_source = MOST;
    });
    let rig = rig.await;
    let mut service = rig.rooms(wire);
    create(&mut service, "r").await;
    let claims = tokens::claims("a", SystemTime::now());
    let forged = tokens::Tokens::new().mint(&claims);
    let mut rooms = rig.rooms_of(wire, tokens::showing(forged));
    for _ in 0..MOST {
        refused(&mut rooms).await;
    }
    let good = rig.rooms_of(wire, tokens.holder(&claims));
    for mut rooms in [rooms, good] {
        let request = support::join_request("r", "a");
        let status = assert_reason(
            rooms.join(request).await,
            ErrorReason::RateExceeded,
            Code::ResourceExhausted,
        );
        assert!(status.message().contains("short time"), "{status:?}");
    }
    let counted: u64 = rig.handle.refused_tokens().map(|(_, count)| count).sum();
    assert_eq!(counted, u64::from(MOST));
    support::join(&mut service, "r", "a").await;
}

support::on_both_transports!(a_node_without_token_keys_takes_none);
async fn a_node_without_token_keys_takes_none(wire: Wire) {
    let tokens = tokens::Tokens::new();
    let rig = Rig::start().await;
    let holder: Identity = tokens.holder(&tokens::claims("a", SystemTime::now()));
    let mut rooms = rig.rooms_of(wire, holder);
    let result = rooms.join(support::join_request("r", "a")).await;
    assert_reason(
        result,
        ErrorReason::CredentialInvalid,
        Code::Unauthenticated,
    );
}
