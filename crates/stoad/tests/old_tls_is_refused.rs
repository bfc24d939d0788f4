//! What is no longer safe of TLS is refused at the control port and at WHIP, by the daemon's own word.

mod support;

use std::time::Duration;

#[test]
fn old_tls_is_refused() {
    let daemon = support::Daemon::with_whip("http://127.0.0.1:8000");
    support::python_with_whip("tls_versions.py", &daemon, 8000, Duration::from_secs(60));
}
