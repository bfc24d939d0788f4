//! On real pages: a closed service keeps strangers out, invitations let people in and run out, waves
//! open, then everyone comes in, and who is banned is put out and stays out.

mod support;

use std::time::Duration;

#[test]
fn invitations_come_in_waves() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::node("closed_beta.mjs", &daemon, Duration::from_secs(200));
}
