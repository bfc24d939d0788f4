//! The holder of a join token enters over gRPC as the token says, acts for themselves, and for nobody and
//! nothing else; a token to listen does not speak, and who was removed does not come back with theirs.

mod support;

use std::time::Duration;

#[test]
fn a_join_token_lets_in_over_grpc() {
    let daemon = support::Daemon::with_whip("http://127.0.0.1:8000");
    let within = Duration::from_secs(150);
    support::python_with_whip("join_tokens_over_grpc.py", &daemon, 8000, within);
}
