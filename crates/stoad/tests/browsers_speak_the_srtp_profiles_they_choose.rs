//! Chromium, Firefox and aiortc hear each other, whatever SRTP profile each of them has come to, and
//! what they have come to is read from their own statistics.
//!
//! The API of browsers has nothing that restricts them to one profile, and no preference of Firefox and no
//! switch of Chromium was found that does. But the server of the DTLS handshake chooses, and which side
//! that is, the SDP says. With Chromium 156 and Firefox 153, DTLS 1.2 and `ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`:
//!
//! | the server, thus who chooses | Chromium | Firefox |
//! | --- | --- | --- |
//! | the daemon (to an offer of `actpass`, as browsers make it) | AES-256-GCM | AES-256-GCM |
//! | the browser | AES-128 in counter mode with HMAC-SHA1 (80 bits) | AES-128-GCM |
//!
//! So browsers show all three. The first line is the daemon's doing, and the test insists on it; the
//! second may be another one with other browsers, as long as it is one of the three. aiortc speaks
//! counter mode in both rooms. The curve of the key exchange is in no statistics.

mod support;

use std::time::Duration;

#[test]
fn browsers_speak_the_srtp_profiles_they_choose() {
    let daemon = support::Daemon::dev_in_a_network_of_its_own();
    support::python_with_browsers("srtp_in_browsers.py", &daemon, Duration::from_secs(240));
}
