//! Clients that others wrote meet in a room by WHIP and WHEP: aiortc by a stock HTTP client over HTTP/1.1,
//! Chromium by the library `whip-whep` over HTTP/2, from a page of another origin. What is said is heard,
//! entity tags and methods are as RFC 9725 has them, and sessions end by DELETE.

mod support;

use std::{net::TcpListener, time::Duration};

#[test]
fn a_whip_publisher_and_a_whep_player_meet() {
    // The page's port has to be known before the daemon that allows its origin.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port();
    drop(taken);
    let daemon = support::Daemon::with_whip(&format!("http://127.0.0.1:{port}"));
    let within = Duration::from_secs(240);
    support::python_with_whip("whip_and_whep.py", &daemon, port, within);
}
