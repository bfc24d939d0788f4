use proptest::prelude::*;

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn talking(key: u8, decibels: u32) -> Candidate<u8> {
    Candidate {
        key,
        decibels,
        silent_for: Some(Duration::ZERO),
        is_pinned: false,
    }
}

fn holding(key: u8) -> Option<Holder<u8>> {
    Some(Holder {
        key,
        held_for: LONG,
    })
}

#[test]
fn a_free_slot_is_taken_at_once() {
    let choice = choose(&[None, None, None], None, &[talking(1, 40)]);
    assert_eq!(choice.slots[..3], [Some(1), None, None]);
    assert_eq!(choice.understudy, None);
}

#[test]
fn the_loudest_hold_the_slots_and_the_next_is_understudy() {
    let all = [
        talking(1, 40),
        talking(2, 80),
        talking(3, 60),
        talking(4, 50),
        talking(5, 20),
    ];
    let choice = choose(&[None; 3], None, &all);
    assert_eq!(choice.slots[..3], [Some(2), Some(3), Some(4)]);
    assert_eq!(choice.understudy, Some(1));
}

#[test]
fn equal_levels_change_nothing() {
    let all = [
        talking(1, 70),
        talking(2, 70),
        talking(3, 70),
        talking(4, 70 + MARGIN_DB - 1),
    ];
    let slots = [holding(1), holding(2), holding(3)];
    assert_eq!(
        choose(&slots, None, &all).slots[..3],
        [Some(1), Some(2), Some(3)]
    );
}

#[test]
fn a_clearly_louder_voice_takes_the_quietest_slot() {
    let all = [
        talking(1, 70),
        talking(2, 40),
        talking(3, 70),
        talking(4, 46),
    ];
    let slots = [holding(1), holding(2), holding(3)];
    let choice = choose(&slots, None, &all);
    assert_eq!(choice.slots[..3], [Some(1), Some(4), Some(3)]);
    assert_eq!(choice.understudy, Some(2));
}

#[test]
fn who_has_just_begun_is_not_pushed_out() {
    let fresh = Some(Holder {
        key: 2,
        held_for: MINIMUM_HOLD / 2,
    });
    let all = [talking(2, 40), talking(4, 100)];
    assert_eq!(choose(&[fresh], None, &all).slots[0], Some(2));
}

#[test]
fn music_takes_a_slot_at_once_and_no_voice_takes_it_back() {
    let music = Candidate {
        is_pinned: true,
        ..talking(9, 10)
    };
    let just_begun = Some(Holder {
        key: 1,
        held_for: Duration::ZERO,
    });
    let choice = choose(&[just_begun], None, &[talking(1, 90), music]);
    assert_eq!((choice.slots[0], choice.understudy), (Some(9), Some(1)));
    let choice = choose(&[holding(9)], None, &[talking(1, 120), music]);
    assert_eq!(choice.slots[0], Some(9));
    let louder = Candidate {
        is_pinned: true,
        ..talking(8, 120)
    };
    let choice = choose(&[holding(9)], None, &[louder, music]);
    assert_eq!((choice.slots[0], choice.understudy), (Some(9), Some(8)));
}

#[test]
fn silence_frees_a_slot() {
    let silent = Candidate {
        key: 1,
        decibels: 90,
        silent_for: Some(SILENCE_FREES),
        is_pinned: false,
    };
    assert_eq!(
        choose(&[holding(1)], None, &[silent]).slots,
        [None; MAX_AUDIO_SLOTS]
    );
}

#[test]
fn who_is_gone_holds_nothing() {
    assert_eq!(
        choose(&[holding(9)], Some(8), &[]),
        Choice {
            slots: [None; MAX_AUDIO_SLOTS],
            understudy: None
        }
    );
}

prop_compose! {
    fn candidates()(
        levels in prop::collection::vec(
            (0u32..128, prop::option::of(0u64..4_000), prop::bool::weighted(0.2)),
            0..12,
        )
    ) -> Vec<Candidate<u8>> {
        (0u8..).zip(levels).map(|(key, (decibels, silent, is_pinned))| Candidate {
            key,
            decibels,
            silent_for: silent.map(Duration::from_millis),
            is_pinned,
        }).collect()
    }
}

proptest! {
    #[test]
    fn choices_are_sound(
        candidates in candidates(),
        open in 1usize..=MAX_AUDIO_SLOTS,
        held in prop::collection::vec(prop::option::of((0u8..14, 0u64..3_000)), MAX_AUDIO_SLOTS),
        understudy in prop::option::of(0u8..14),
    ) {
        let mut seen = Vec::new();
        let slots: Vec<_> = held[..open].iter().map(|held| {
            let (key, ms) = (*held)?;
            if seen.contains(&key) { return None; }
            seen.push(key);
            Some(Holder { key, held_for: Duration::from_millis(ms) })
        }).collect();
        let choice = choose(&slots, understudy, &candidates);

        let chosen: Vec<u8> = choice.slots.iter().flatten().copied().collect();
        let talkers: Vec<_> = candidates.iter().filter(|c| c.talks()).collect();
        for (index, key) in chosen.iter().enumerate() {
            prop_assert!(!chosen[..index].contains(key), "{key} holds two slots");
            prop_assert!(talkers.iter().any(|c| c.key == *key), "{key} does not talk");
        }
        prop_assert!(choice.slots[open..].iter().all(Option::is_none));
        prop_assert_eq!(chosen.len(), talkers.len().min(open), "a slot is free while somebody waits");
        prop_assert_eq!(choice.understudy.is_some(), talkers.len() > open);
        if let Some(next) = choice.understudy {
            prop_assert!(!chosen.contains(&next));
        }
        // At most one who still talks is pushed out, and nobody moves between slots.
        let pushed = slots.iter().zip(choice.slots).filter(|(before, after)| {
            before.is_some_and(|b| *after != Some(b.key) && talkers.iter().any(|c| c.key == b.key))
        }).count();
        prop_assert!(pushed <= 1);
        for (index, before) in slots.iter().enumerate() {
            for (other, after) in choice.slots.iter().enumerate() {
                if let (Some(before), Some(after)) = (before, after) {
                    prop_assert!(index == other || before.key != *after, "moved between slots");
                }
            }
        }
        // Choosing again lets music in, one at each turn, and nobody else.
        let hold = |slots: [Option<u8>; MAX_AUDIO_SLOTS]| -> Vec<_> {
            let holder = |key| Holder { key, held_for: Duration::ZERO };
            slots[..open].iter().map(|key| key.map(holder)).collect()
        };
        let is_pinned = |key: u8| candidates.iter().any(|c| c.key == key && c.is_pinned);
        let mut settled = choice;
        for _ in 0..MAX_AUDIO_SLOTS {
            let next = choose(&hold(settled.slots), settled.understudy, &candidates);
            for (before, after) in settled.slots.iter().zip(next.slots) {
                prop_assert!(*before == after || after.is_some_and(is_pinned));
            }
            settled = next;
        }
        let voices = settled.slots.iter().flatten().any(|&key| !is_pinned(key));
        prop_assert!(!voices || !settled.understudy.is_some_and(is_pinned), "music waits");
    }
}
