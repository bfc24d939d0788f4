//! A token is good for a short time, which begins when it was made.

use crate::support::*;
use serde_json::json;
use stoa_token::{LEEWAY, LONGEST_LIFETIME, Reason};

fn at_time(changes: serde_json::Value) -> Result<(), Reason> {
    verify(&token(&claims_with(changes))).map(|_| ())
}

#[test]
fn it_ends() {
    let leeway = LEEWAY.as_secs();
    let ended = |ago: u64| at_time(json!({"iat": NOW - 100, "exp": NOW - ago}));
    assert_eq!(ended(leeway - 1), Ok(()));
    assert_eq!(ended(leeway), Err(Reason::Expired));
    assert_eq!(ended(leeway + 1), Err(Reason::Expired));
}

#[test]
fn it_does_not_begin_before_it_was_made() {
    let leeway = LEEWAY.as_secs();
    let made = |ahead: u64| at_time(json!({"iat": NOW + ahead, "exp": NOW + ahead + 60}));
    assert_eq!(made(leeway), Ok(()));
    assert_eq!(made(leeway + 1), Err(Reason::NotYetValid));
    let begins = |ahead: u64| at_time(json!({"nbf": NOW + ahead, "exp": NOW + 600}));
    assert_eq!(begins(leeway), Ok(()));
    assert_eq!(begins(leeway + 1), Err(Reason::NotYetValid));
}

#[test]
fn it_is_short() {
    let longest = LONGEST_LIFETIME.as_secs();
    let lives = |seconds: u64| at_time(json!({"exp": NOW + seconds}));
    assert_eq!(lives(longest), Ok(()));
    assert_eq!(lives(longest + 1), Err(Reason::LifetimeTooLong));
    assert_eq!(lives(0), Err(Reason::LifetimeTooLong));
    let forever = json!({"exp": u64::MAX});
    assert_eq!(at_time(forever), Err(Reason::LifetimeTooLong));
    let backwards = json!({"iat": NOW, "exp": NOW - 1});
    assert_eq!(at_time(backwards), Err(Reason::LifetimeTooLong));
    let never = json!({"iat": u64::MAX - 1, "exp": u64::MAX});
    assert_eq!(at_time(never), Err(Reason::NotYetValid));
}

#[test]
fn a_clock_that_stands_before_1970_lets_nobody_in() {
    let early = std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1);
    let refused = verifier().verify(&token(&claims()), early);
    assert_eq!(
        refused.map_err(|refused| refused.reason),
        Err(Reason::NotYetValid)
    );
}
