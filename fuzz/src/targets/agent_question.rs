//! What a coordinator asks of an agent of the load tester.
//!
//! Who asks has shown the key; so it is enough that nothing panics, and that a question which is obeyed is the same
//! when it is written and read again.

use stoa_load::fuzz::question;

pub(super) fn run(bytes: &[u8]) {
    if let Some(again) = question(bytes) {
        assert_eq!(question(&again), Some(again));
    }
}
