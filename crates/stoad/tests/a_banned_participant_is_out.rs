//! A ban is in force on the call itself: within a second the banned participant hears nobody and is heard by
//! nobody, and does not come back with what they had. The others' call goes on.

mod support;

use std::time::Duration;

#[test]
fn a_banned_participant_is_out() {
    let daemon = support::Daemon::dev();
    support::python("banned.py", &daemon, Duration::from_secs(120));
}
