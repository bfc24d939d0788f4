//! What WHIP and WHEP read of a request: a path, the head's lines, and a body, with a 0 byte between each.
//!
//! A fragment that is taken says what stands in it, and says the same when it is written again; the token and the
//! condition are those of the head or none.

use http::{HeaderMap, HeaderName, HeaderValue};
use stoa_whip::fuzz::{condition, fragment, fragment_of_answer, is_resource, token};

pub(super) fn run(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut text = || str::from_utf8(parts.next().unwrap_or_default()).ok();
    let (Some(path), Some(head), Some(body)) = (text(), text(), text()) else {
        return;
    };
    if is_resource(path) {
        assert!(path.matches('/').count() <= 2 && path.starts_with('/'));
    }
    read_head(head);
    read_fragment(body);
    if let Some(answer) = fragment_of_answer(body) {
        assert!(answer.len() <= 2 * body.len() + 256);
        assert!(answer.ends_with("a=end-of-candidates\r\n"));
    }
}

fn read_head(head: &str) {
    let mut headers = HeaderMap::new();
    for line in head.lines().take(64) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
            headers.append(name, value);
        }
    }
    if let Some(token) = token(&headers) {
        assert!(head.contains(token));
    }
    let is_met = condition(&headers, "\"tag\"");
    assert!(is_met.is_none() || headers.contains_key("if-match"));
    if is_met == Some(true) {
        assert!(head.contains("\"tag\"") || head.contains('*'));
    }
}

fn read_fragment(body: &str) {
    let Ok(read) = fragment(body) else {
        return;
    };
    assert!(read.ends || !read.candidates.is_empty() || read.credentials.is_some());
    let mut again = String::new();
    if let Some((user, password)) = read.credentials {
        assert!((4..=256).contains(&user.len()) && (22..=256).contains(&password.len()));
        again += &format!("a=ice-ufrag:{user}\r\na=ice-pwd:{password}\r\n");
    }
    for candidate in &read.candidates {
        assert!(candidate.starts_with("candidate:") && !candidate.contains('\n'));
        again += &format!("a={candidate}\r\n");
    }
    if read.ends {
        again += "a=end-of-candidates\r\n";
    }
    assert_eq!(fragment(&again).as_ref(), Ok(&read));
}
