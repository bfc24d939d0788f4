//! No view of the page has a serious fault that axe-core knows, and the keyboard alone will do.

mod support;

use std::time::Duration;

#[test]
fn everybody_can_use_the_page() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::node("accessibility.mjs", &daemon, Duration::from_secs(200));
}

#[test]
fn everybody_can_use_the_entrance_and_the_administrators_page() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::node(
        "accessibility_of_the_beta.mjs",
        &daemon,
        Duration::from_secs(200),
    );
}
