//! A configuration file; behind a 0 byte, what the environment says in its place, a `NAME=VALUE` a line.
//!
//! It is read or refused with words. What is shown of it has no secret in it, and can be read again.

use stoad::fuzz::{configuration, with_environment};

pub(super) fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (text, environment) = text.split_once('\0').unwrap_or((text, ""));
    read(text);
    let variables: Vec<_> = environment
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    if let Ok(whole) = with_environment(text, &variables) {
        read(&whole);
    }
}

fn read(text: &str) {
    match configuration(text) {
        Ok(shown) => {
            assert!(!shown.contains("s3cret"), "{shown}");
            let again = configuration(&shown);
            assert_eq!(again.as_deref(), Ok(&*shown), "{shown}");
        }
        Err(why) => assert!(!why.is_empty()),
    }
}
