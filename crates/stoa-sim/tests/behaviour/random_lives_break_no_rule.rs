//! A few random lives of rooms break no rule, and the same seed gives the same life. Many more are lived
//! by `cargo run --release -p stoa-sim -- --seeds N`.

use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};

use stoa_sim::{life::live, oracle::assert_none};

/// Enough for a few seconds.
const SEEDS: u64 = 25;

/// Of those that are others in every run.
const FRESH: u64 = 15;

#[test]
fn with_the_first_seeds() {
    let mut heard = 0;
    for seed in 0..SEEDS {
        let outcome = live(seed);
        println!("seed {seed}");
        assert_none(&outcome.violations);
        heard += outcome.heard;
    }
    assert!(heard > 10_000, "only {heard} packets were heard");
}

/// Lives that nobody has lived before. The seed is in the output of a failure; the same life again is told by
/// `cargo run --release -p stoa-sim -- --first SEED`.
#[test]
fn with_fresh_seeds() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let first = now.expect("after 1970").as_millis() as u64;
    for seed in first..first + FRESH {
        println!("seed {seed}");
        assert_none(&live(seed).violations);
    }
}

#[test]
fn one_seed_one_life() {
    let mut layouts = BTreeSet::new();
    for seed in [3, 4, 6] {
        let [first, second] = [live(seed), live(seed)];
        layouts.insert(first.story[0].clone());
        assert_eq!(first.story, second.story, "seed {seed}");
        assert_eq!(first.heard, second.heard, "seed {seed}");
    }
    assert_eq!(layouts.len(), 3, "{layouts:?}");
    assert_ne!(live(3).story, live(4).story);
}
