//! A ban ends whoever is in by WHIP, by WHEP or over gRPC with a join token, and their tokens let them in by
//! none of them; neither does a resume token. The old token of somebody who was removed is of no use, one that
//! was issued after is.

mod support;

use std::time::Duration;

#[test]
fn a_ban_holds_for_whoever_has_a_token() {
    let daemon = support::Daemon::with_whip("http://127.0.0.1:8000");
    let within = Duration::from_secs(150);
    support::python_with_whip("banned_with_tokens.py", &daemon, 8000, within);
}
