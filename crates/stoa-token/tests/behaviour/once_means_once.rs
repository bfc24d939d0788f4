//! A token that is good once lets in once; any other one until it expires.

use crate::support::*;
use serde_json::json;
use stoa_token::{Grant, LEEWAY, ONCE_TOKENS_PER_TENANT, Reason, Used};

fn grant(id: &str, once: bool) -> Grant {
    verify(&token(&claims_with(json!({"jti": id, "once": once})))).expect("is good")
}

fn take(used: &Used, grant: &Grant, seconds: u64) -> Result<(), Reason> {
    let taken = used.take(grant, at(seconds));
    taken
        .map(|once| once.keep())
        .map_err(|refused| refused.reason)
}

#[test]
fn the_second_use_is_refused() {
    let used = Used::default();
    let once = grant("t", true);
    assert_eq!(take(&used, &once, NOW), Ok(()));
    assert_eq!(take(&used, &once, NOW), Err(Reason::Replayed));
    assert_eq!(take(&used, &grant("u", true), NOW), Ok(()));
    let again = grant("v", false);
    assert_eq!(take(&used, &again, NOW), Ok(()));
    assert_eq!(take(&used, &again, NOW), Ok(()));
    assert_eq!(
        used.count(),
        2,
        "only those that are good once are remembered"
    );
}

#[test]
fn a_use_of_which_nothing_came_does_not_count() {
    let used = Used::default();
    let once = grant("t", true);
    let pending = used.take(&once, at(NOW)).expect("is free");
    assert_eq!(
        take(&used, &once, NOW),
        Err(Reason::Replayed),
        "not at the same time"
    );
    drop(pending);
    assert_eq!(take(&used, &once, NOW), Ok(()));
}

#[test]
fn tenants_have_names_and_room_of_their_own() {
    let used = Used::default();
    let mut ours = grant("t", true);
    let mut theirs = ours.clone();
    theirs.tenant = tenant("other");
    assert_eq!(take(&used, &ours, NOW), Ok(()));
    assert_eq!(take(&used, &theirs, NOW), Ok(()));
    for n in used.count()..=ONCE_TOKENS_PER_TENANT {
        ours.id = format!("t{n}");
        assert_eq!(take(&used, &ours, NOW), Ok(()), "{n}");
    }
    ours.id = "one more".to_owned();
    assert_eq!(take(&used, &ours, NOW), Err(Reason::OnceTableFull));
    theirs.id = "theirs".to_owned();
    assert_eq!(take(&used, &theirs, NOW), Ok(()));
    // What has expired makes room.
    let later = NOW + 60 + LEEWAY.as_secs();
    assert_eq!(take(&used, &ours, later), Ok(()));
    assert_eq!(used.count(), 1 + 2);
}

#[test]
fn refusals_are_counted_by_their_reason() {
    let verifier = verifier();
    let clone = verifier.clone();
    let once = grant("t", true);
    let admitted = clone.admit(&once, at(NOW)).expect("the first use");
    admitted.keep();
    for _ in 0..2 {
        assert!(verifier.admit(&once, at(NOW)).is_err());
    }
    assert!(clone.verify("nonsense", at(NOW)).is_err());
    let counts: Vec<_> = verifier.refused().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counts, [(Reason::NotCompact, 1), (Reason::Replayed, 2)]);
}
