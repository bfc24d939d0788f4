//! Which indices of an SSRC have been used.
//!
//! AES-GCM falls to whoever sees two packets with one key, SSRC and index. Packets reach a line in
//! the order in which their speaker's network delivers them, so an index may come after a higher
//! one; it must not come twice, whatever the speaker sends and whatever goes wrong above.

/// How far an index may be behind the highest one: more than a second of speech.
const WINDOW: u64 = u64::BITS as u64;

/// The used indices of one SSRC, of which those beyond the window count as used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct UsedIndices {
    /// One more than the highest that was used.
    next: u64,
    /// Bit `n`: whether `next - 1 - n` was used.
    recent: u64,
}

impl UsedIndices {
    /// One more than the highest index that was used.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Uses an index. Returns whether it was unused.
    #[must_use]
    pub(super) fn take(&mut self, index: u64) -> bool {
        if index >= self.next {
            let ahead = index - self.next + 1;
            let kept = u32::try_from(ahead).ok();
            self.recent = kept
                .and_then(|ahead| self.recent.checked_shl(ahead))
                .unwrap_or(0)
                | 1;
            self.next = index + 1;
            return true;
        }
        let behind = self.next - 1 - index;
        if behind >= WINDOW || self.recent >> behind & 1 == 1 {
            return false;
        }
        self.recent |= 1 << behind;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_index_is_used_once() {
        let mut used = UsedIndices::default();
        assert!(used.take(10) && used.take(12) && used.take(11));
        assert!(!used.take(10) && !used.take(11) && !used.take(12));
        assert!(used.take(9) && used.take(12 + WINDOW));
        assert!(!used.take(12), "beyond the window");
        assert!(used.take(13), "the last in the window");
        assert!(used.take(1 << 40) && !used.take(12 + WINDOW));
        assert!(UsedIndices::default().take(0));
    }

    proptest! {
        /// Beside a set of all that was ever used.
        #[test]
        fn no_index_is_used_twice(steps in prop::collection::vec(-100_i64..200, 1..400)) {
            let (mut used, mut all, mut at) = (UsedIndices::default(), BTreeSet::new(), 0_u64);
            for step in steps {
                at = at.saturating_add_signed(step);
                let highest = all.last().copied();
                let is_recent = highest.is_none_or(|highest| at + WINDOW > highest);
                let is_new = is_recent && !all.contains(&at);
                prop_assert_eq!(used.take(at), is_new, "{}", at);
                if is_new {
                    all.insert(at);
                }
            }
        }
    }
}
