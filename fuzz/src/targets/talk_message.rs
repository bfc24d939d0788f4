//! A message of a browser to the reference signalling service.
//!
//! It is taken or refused with a problem that is JSON, has its reason, and is not much longer than the message.

use serde_json::Value;
use stoa_talk::fuzz::{MAX_MESSAGE_BYTES, message, question};

/// What a problem has beside what it quotes: the list of all types is the longest.
const MOST_OWN_BYTES: usize = 1_024;

pub(super) fn run(bytes: &[u8]) {
    let is_question = question(bytes);
    let Ok(text) = str::from_utf8(bytes) else {
        assert!(!is_question, "JSON is UTF-8");
        return;
    };
    match message(text) {
        Ok(()) => assert!(text.len() <= MAX_MESSAGE_BYTES),
        Err(problem) => {
            // A control character has six in JSON.
            assert!(problem.len() <= 6 * text.len() + MOST_OWN_BYTES);
            let problem: Value = serde_json::from_str(&problem).expect("JSON");
            let reason = problem["reason"].as_str().expect("a reason");
            assert!(!reason.is_empty());
        }
    }
}
