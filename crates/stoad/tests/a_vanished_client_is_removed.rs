//! A client whose process dies without goodbye is removed when the ICE timeout and the time to resume are over;
//! others see it, and their call goes on.

mod support;

use std::time::Duration;

#[test]
fn a_vanished_client_is_removed() {
    // Longer than the 6 s that may pass between two of aiortc's consent checks.
    let daemon = support::Daemon::run(&["ice_timeout_seconds: 8", "resume_seconds: 2"]);
    support::python("vanished_client.py", &daemon, Duration::from_secs(120));
}
