//! An HTTP/3 stack that shares no code with Stoa's calls the same service, with gRPC's framing
//! written by hand.

mod support;

use std::time::Duration;

#[test]
fn an_independent_http3_client_works() {
    let daemon = support::Daemon::dev();
    support::python("http3_aioquic.py", &daemon, Duration::from_secs(90));
}
