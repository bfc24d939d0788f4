//! The shortest part of a life in which a rule is still broken.

use std::collections::BTreeSet;

use super::{Outcome, Part, live_part};
use crate::{FRAME, oracle::Rule};

/// Looks for the shortest part of this seed's life in which the rule is still broken, and lives no more than
/// `tries` lives for it. Returns the shortest that was found, which may be all of it, and what came of it.
///
/// What is left out changes what comes after it. So it is found by trying, and another part might be shorter.
pub fn shortest(seed: u64, whole: &Outcome, rule: Rule, tries: usize) -> (Part, Outcome) {
    let mut best = (Part::default(), whole.clone());
    let mut left = tries;
    let mut try_part = |part: Part, best: &mut (Part, Outcome)| {
        if left == 0 {
            return false;
        }
        left -= 1;
        let outcome = live_part(seed, &part);
        let breaks = outcome
            .violations
            .iter()
            .any(|violation| violation.rule == rule);
        if breaks {
            *best = (part, outcome);
        }
        breaks
    };
    let first = whole
        .violations
        .iter()
        .find(|violation| violation.rule == rule);
    if let Some(first) = first {
        let frames = first.at.as_nanos() / FRAME.as_nanos() + 1;
        let frames = usize::try_from(frames).ok();
        let without = BTreeSet::new();
        try_part(Part { frames, without }, &mut best);
    }
    let (frames, deeds) = (best.0.frames, best.1.deeds);
    leave_out(deeds, |without| {
        let without = without.clone();
        try_part(Part { frames, without }, &mut best)
    });
    best
}

/// Leaves out as many of the numbers below `count` as possible, half of them first and single ones at last,
/// so that it `is_enough` without them.
fn leave_out(count: usize, mut is_enough: impl FnMut(&BTreeSet<usize>) -> bool) -> BTreeSet<usize> {
    let mut without = BTreeSet::new();
    let mut size = count.div_ceil(2);
    while size > 0 {
        let mut did_change = false;
        let kept: Vec<_> = (0..count).filter(|n| !without.contains(n)).collect();
        for some in kept.chunks(size) {
            let mut more = without.clone();
            more.extend(some);
            if is_enough(&more) {
                without = more;
                did_change = true;
            }
        }
        // With single ones until none can be left out any more.
        size = match size {
            1 if did_change => 1,
            size => size / 2,
        };
    }
    without
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_is_left_out() {
        let needed = BTreeSet::from([3, 17, 64]);
        let mut tries = 0;
        let without = leave_out(100, |without| {
            tries += 1;
            needed.is_disjoint(without)
        });
        assert_eq!(without.len(), 97);
        assert!(tries < 150, "{tries}");
        assert_eq!(leave_out(5, |_| true).len(), 5);
        assert_eq!(leave_out(5, |_| false).len(), 0);
        assert_eq!(leave_out(0, |_| true).len(), 0);
    }

    #[test]
    fn a_rule_that_nobody_breaks_leaves_all_of_the_life() {
        let seed = 1;
        let whole = live_part(seed, &Part::default());
        let (part, outcome) = shortest(seed, &whole, Rule::OwnVoice, 2);
        assert_eq!(part, Part::default());
        assert_eq!(outcome.story, whole.story);
    }
}
