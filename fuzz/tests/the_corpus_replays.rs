//! Every input of the corpus keeps the properties of its target, and so do some that are made of them here.
//!
//! Each run makes others. Its seed is printed; `STOA_FUZZ_SEED=...` makes the same ones again, and
//! `STOA_FUZZ_MUTATIONS=...` more of them. The input that fails is written beside the corpus, to be looked at and kept.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Instant,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use stoa_core::DropReason;
use stoa_fuzz::{TARGETS, Target, corpus, mutate::mutate, scene};

/// How many inputs are made for each target: all together a few seconds.
const MUTATIONS: u64 = 1_000;

/// What the whole corpus has at most, in bytes. It is cloned by everybody who clones the project.
const MOST_BYTES: usize = 512 * 1024;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

#[test]
fn what_is_kept_and_what_is_made_of_it_keep_the_properties() {
    let seed = number("STOA_FUZZ_SEED").unwrap_or_else(|| rand::rng().random());
    let mutations = number("STOA_FUZZ_MUTATIONS").unwrap_or(MUTATIONS);
    println!("STOA_FUZZ_SEED={seed}");
    let mut bytes = 0;
    for target in TARGETS {
        let began = Instant::now();
        let inputs = corpus::read(target.name).expect("each target has a corpus");
        assert!(!inputs.is_empty(), "{}: the corpus is empty", target.name);
        for (name, input) in &inputs {
            bytes += input.len();
            try_one(target, name, input);
        }
        let mut rng = StdRng::seed_from_u64(seed);
        for number in 0..mutations {
            let (_, first) = &inputs[rng.random_range(0..inputs.len())];
            let (_, other) = &inputs[rng.random_range(0..inputs.len())];
            let mut input = first.clone();
            mutate(&mut rng, &mut input, other, target.longest);
            try_one(target, &format!("mutation {number} of seed {seed}"), &input);
        }
        let took = began.elapsed().as_millis();
        println!(
            "{}: {} + {mutations} in {took} ms",
            target.name,
            inputs.len()
        );
    }
    assert!(bytes <= MOST_BYTES, "the corpus has {bytes} bytes");
}

fn try_one(target: &Target, name: &str, input: &[u8]) {
    let run = AssertUnwindSafe(|| (target.run)(input));
    if catch_unwind(run).is_err() {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("failed-{}", target.name));
        fs::write(&kept, input).expect("the input is kept");
        let kept = kept.display();
        panic!("{}: {name} breaks a property; it is in {kept}", target.name);
    }
}

#[test]
fn the_corpus_is_of_targets_that_there_are() {
    let all = corpus::folder("");
    for entry in fs::read_dir(all).expect("the corpus is there") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(stoa_fuzz::find(&name).is_some(), "no target: {name}");
    }
}

/// A target whose good inputs are refused at the door would hold for ever.
#[test]
fn good_inputs_get_as_far_as_they_should() {
    let refused = |target: &str, name: &str| {
        let drops = || {
            scene::with(|scene| {
                let stats = scene.stats();
                let all = DropReason::ALL.into_iter();
                all.map(|reason| stats.dropped(reason)).sum::<u64>()
            })
        };
        let inputs = corpus::read(target).expect("a corpus");
        let input = inputs.iter().find(|(other, _)| other == name);
        let (_, input) = input.expect("it is in the corpus");
        let before = drops();
        let run = stoa_fuzz::find(target).expect("a target").run;
        run(input);
        drops() - before
    };
    for good in ["check", "check-from-elsewhere"] {
        assert_eq!(refused("stun", good), 0, "{good}");
    }
    assert_eq!(refused("stun", "allocate"), 1);
    for good in ["plain", "levels", "padding"] {
        assert_eq!(refused("rtp", good), 0, "{good}");
    }
    assert_eq!(refused("rtp", "extension-that-overruns"), 1);
    assert_eq!(refused("rtcp", "receiver-report"), 0);
    let reception = scene::with(|scene| scene.node.reception(&scene::room(), scene.liar.id()));
    let reception = reception.expect("the liar is there");
    assert!(reception.is_some(), "the report was not read");
}
