//! On real pages, a listener raises a hand, is invited, promoted and heard; muted by the moderator,
//! demoted, removed. Each is seen and heard on the other pages.

mod support;

use std::time::Duration;

#[test]
fn a_listener_comes_to_the_stage() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::node("stage_and_audience.mjs", &daemon, Duration::from_secs(200));
}
