//! Whatever is wrong with a token, whoever shows it hears the same, to the last byte; what a token does
//! not grant is refused with a name; and nothing of it changes a room. The log has the reasons, and nothing of
//! tokens, offers and keys.

mod support;

use std::time::Duration;

#[test]
fn bad_tokens_are_refused_alike() {
    let daemon = support::Daemon::with_whip("http://127.0.0.1:8000");
    let within = Duration::from_secs(150);
    support::python_with_whip("bad_tokens.py", &daemon, 8000, within);
    let log = daemon.log();
    for reason in ["expired", "bad_signature", "wrong_algorithm", "key_unknown"] {
        let line = format!("a join token was refused reason=\"{reason}\"");
        assert!(log.contains(&line), "{line} is not in\n{log}");
    }
    // What every token begins with, what is in every offer, how str0m writes ICE passwords, the service's key.
    for secret in [
        "eyJ",
        "ice-pwd",
        "fingerprint:",
        "pass:",
        "a-key-for-tests-alone",
    ] {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret} is in the log");
    }
}
