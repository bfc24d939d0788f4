//! Whether anything holds more than it may.

use std::time::Duration;

use stoa_core::Fill;

use super::{Rule, Violation};

/// [`Rule::Limits`]: how full everything of a node is at this moment.
pub fn nothing_is_beyond_its_limit(at: Duration, fills: &[Fill]) -> Vec<Violation> {
    let beyond = fills.iter().filter(|fill| fill.count > fill.limit);
    let violation = |fill: &Fill| Violation {
        rule: Rule::Limits,
        at,
        what: format!(
            "{} {} where {} is the limit",
            fill.count, fill.what, fill.limit
        ),
    };
    beyond.map(violation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_is_found() {
        let fill = |count| Fill {
            what: "rooms",
            count,
            limit: 3,
        };
        let at = Duration::from_secs(1);
        assert_eq!(nothing_is_beyond_its_limit(at, &[fill(0), fill(3)]), []);
        let found = nothing_is_beyond_its_limit(at, &[fill(3), fill(4)]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rule, found[0].at), (Rule::Limits, at));
    }
}
