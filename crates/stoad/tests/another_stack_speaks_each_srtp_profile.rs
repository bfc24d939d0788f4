//! A WebRTC stack that is no browser speaks one SRTP profile alone, each of the three in turn: AES-128
//! in counter mode with HMAC-SHA1, AES-128-GCM and AES-256-GCM. Sound and reports go both ways, on
//! either side of the DTLS handshake, and in one room with somebody of another profile.

mod support;

use std::time::Duration;

#[test]
fn another_stack_speaks_each_srtp_profile() {
    let daemon = support::Daemon::dev();
    support::python("srtp_profiles.py", &daemon, Duration::from_secs(240));
}
