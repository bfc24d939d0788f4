//! In one room Chromium gets the packets of another Chromium with redundancy (RED, RFC 2198), and
//! aiortc, which does not know it, gets them as plain Opus.

mod support;

use std::time::Duration;

#[test]
fn redundancy_reaches_browsers_and_plain_opus_others() {
    let daemon = support::Daemon::dev();
    support::python_with_browsers("redundancy.py", &daemon, Duration::from_secs(170));
}
