//! Two Chromium pages and a Firefox page in one room: each hears the two others' tones under their
//! names, and never its own.

mod support;

use std::time::Duration;

#[test]
fn browsers_hear_each_other() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::node("hear_each_other.mjs", &daemon, Duration::from_secs(180));
}
