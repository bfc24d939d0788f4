//! Chromium in a network whose firewall drops all UDP joins, and hears and is heard over TCP to the media
//! port.

mod support;

use std::time::Duration;

#[test]
fn tcp_where_udp_is_blocked() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::python_with_browsers_behind(
        "no_udp.nft",
        "tcp_only.py",
        &daemon,
        Duration::from_secs(180),
    );
}
