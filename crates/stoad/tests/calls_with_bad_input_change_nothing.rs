//! A call that cannot be obeyed gets a code and a reason, and leaves the room as it was.

mod support;

use std::time::Duration;

#[test]
fn calls_with_bad_input_change_nothing() {
    // The participant of this test never connects, and is not to be removed meanwhile.
    let daemon = support::Daemon::run(&["connect_timeout_seconds: 600"]);
    support::python("bad_input.py", &daemon, Duration::from_secs(90));
}
