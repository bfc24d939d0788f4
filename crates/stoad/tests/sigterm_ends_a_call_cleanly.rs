//! Asked to end, the daemon tells everybody and is gone, with exit code 0.

mod support;

use std::time::Duration;

/// From the signal to the end of the process, on a busy machine.
const END: Duration = Duration::from_secs(15);

#[test]
fn sigterm_ends_a_call_cleanly() {
    let mut daemon = support::Daemon::dev();
    support::python("sigterm_in_a_call.py", &daemon, Duration::from_secs(120));
    assert_eq!(daemon.wait(END).code(), Some(0));
}

#[test]
fn sigterm_ends_an_idle_daemon() {
    for start in [support::Daemon::dev, || support::Daemon::run(&[])] {
        let mut daemon = start();
        daemon.terminate();
        assert_eq!(daemon.wait(END).code(), Some(0));
    }
}
