//! A WebRTC stack that is no browser joins, sends and receives: everybody hears the others' tones
//! under the right names, and nobody hears themselves.

mod support;

use std::time::Duration;

#[test]
fn a_second_webrtc_stack_joins() {
    let daemon = support::Daemon::dev();
    support::python("aiortc_tones.py", &daemon, Duration::from_secs(150));
}
