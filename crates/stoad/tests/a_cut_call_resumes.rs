//! A Chromium in a network namespace of its own loses its network for 20 s, in which the others see it
//! reconnecting, comes back with another address, restarts ICE through the API, and is heard again as who it
//! was. Then it comes back once more, by a new page and its resume token.

mod support;

use std::time::Duration;

#[test]
fn a_cut_call_resumes() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::python_with_browsers("cut_call.py", &daemon, Duration::from_secs(240));
}
