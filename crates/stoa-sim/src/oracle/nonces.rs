//! Whether something was sealed under an index that had been used before.

use super::{Rule, Violation};
use crate::history::History;

/// [`Rule::Nonce`].
pub fn no_nonce_is_used_twice(history: &History) -> Vec<Violation> {
    let members = history.members.iter();
    let reused = members.flat_map(|member| {
        let reused = member.reused.iter();
        reused.map(move |(at, reuse)| Violation {
            rule: Rule::Nonce,
            at: *at,
            what: format!(
                "{}SSRC {:#x}, index {} again for {}",
                if reuse.is_rtcp { "SRTCP, " } else { "" },
                reuse.ssrc,
                reuse.index,
                member.participant,
            ),
        })
    });
    reused.collect()
}
