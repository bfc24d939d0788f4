//! A page whose way to the service breaks comes back by itself as who it was, and a second window of
//! the same browser takes over.

mod support;

use std::time::Duration;

#[test]
fn a_broken_connection_comes_back() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::node("coming_back.mjs", &daemon, Duration::from_secs(150));
}
