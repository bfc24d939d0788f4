//! Where the browser gives no microphone, the page says what to do about it.

mod support;

use std::time::Duration;

#[test]
fn a_refused_microphone_is_explained() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::node("microphone_refused.mjs", &daemon, Duration::from_secs(120));
}
