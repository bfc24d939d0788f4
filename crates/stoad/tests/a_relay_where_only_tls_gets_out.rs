//! Chromium in a network whose firewall lets nothing out but TCP to port 443 joins, and hears and is heard
//! through a real coturn, configured as `deploy/coturn` recommends.

mod support;

use std::time::Duration;

#[test]
fn a_relay_where_only_tls_gets_out() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::python_with_browsers_behind(
        "tls_only.nft",
        "tls_only.py",
        &daemon,
        Duration::from_secs(180),
    );
}
