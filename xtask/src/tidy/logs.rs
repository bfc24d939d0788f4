//! What a log line may name: no raw address of a client and no secret.
//!
//! Types show themselves as far as they may (`stoa-redact`); this holds what is not of such a type. It looks at the values
//! of a log macro, and not at the names of its fields: `address = %bound` is ours, `%address` could be anybody's.

use super::Finding;
use super::source::Source;

/// Macros that write a line, or a span that stands in lines.
const MACROS: [&str; 12] = [
    "error!",
    "warn!",
    "info!",
    "debug!",
    "trace!",
    "event!",
    "span!",
    "error_span!",
    "warn_span!",
    "info_span!",
    "debug_span!",
    "trace_span!",
];

/// Words that stand for a whole address, and for what lets somebody in.
const RAW: [&str; 29] = [
    "address",
    "addresses",
    "addr",
    "answer",
    "api_key",
    "authorization",
    "body",
    "candidate",
    "certificate",
    "credential",
    "credentials",
    "expose",
    "headers",
    "ip",
    "offer",
    "password",
    "peer",
    "pwd",
    "remote",
    "remote_addr",
    "remote_address",
    "request",
    "sdp",
    "secret",
    "source",
    "token",
    "ufrag",
    "uri",
    "url",
];

pub(super) fn raw_values(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut at = 0;
    while at < source.code.len() {
        let line = &source.code[at];
        let begin = MACROS.iter().find_map(|name| begins(line, name));
        let (Some(begin), false) = (begin, source.test[at]) else {
            at += 1;
            continue;
        };
        let inside = inside(&source.code[at..], begin);
        for code in &inside {
            let captured = captures(&source.text[at]);
            for word in values(code).chain(captured) {
                if RAW.contains(&word) {
                    findings.push(Finding::new(source.place(at + 1), message(word)));
                }
            }
            at += 1;
        }
    }
    findings
}

fn message(word: &str) -> String {
    format!(
        "a log line with the value `{word}`: an address of a client goes there as `client`, a `ClientAddress` of \
         stoa-redact, which shows as much of itself as the operator wants; a secret or an SDP does not go there at all; \
         an address of ours gets another name"
    )
}

/// Where in the line what is in the brackets of this macro begins.
fn begins(line: &str, name: &str) -> Option<usize> {
    let at = line.find(name)?;
    let before = line[..at].chars().next_back();
    let is_whole = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let bracket = at + name.len();
    (is_whole && line[bracket..].starts_with('(')).then_some(bracket)
}

/// What is in the bracket that opens there, line by line.
fn inside(code: &[String], begin: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut depth = 0_usize;
    for (index, line) in code.iter().enumerate() {
        let line = if index == 0 { &line[begin..] } else { line };
        for (at, c) in line.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => continue,
            }
            if depth == 0 {
                lines.push(&line[..at]);
                return lines;
            }
        }
        lines.push(line);
    }
    lines
}

/// The words of this code that are not names of fields.
fn values(code: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = code;
    std::iter::from_fn(move || {
        loop {
            let begin = rest.find(is_word)?;
            let word = &rest[begin..];
            let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            rest = after;
            let after = after.trim_start();
            if !after.starts_with('=') || after.starts_with("==") {
                return Some(word);
            }
        }
    })
}

/// What the text of a line captures: `{name}`, `{name:?}`.
fn captures(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|part| part.split(['}', ':']).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let source = Source::parse("crates/x/src/a.rs", text);
        let findings = raw_values(&source);
        findings.into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn a_raw_value_in_a_line_is_found() {
        for line in [
            "tracing::debug!(%address, \"x\");",
            "debug!(client = %peer.remote_address, \"x\");",
            "tracing::info_span!(\"call\", who = ?request.headers());",
            "tracing::warn!(\"refused {token}\");",
            "tracing::warn!(\"refused {offer:?}\");",
            "tracing::warn!(%client.expose(), \"x\");",
        ] {
            assert!(!places(line).is_empty(), "{line}");
        }
        let lines = "f();\ntracing::debug!(\n    %error,\n    ?sdp,\n    \"x\"\n);\n";
        assert_eq!(places(lines), ["crates/x/src/a.rs:4"]);
    }

    #[test]
    fn what_may_be_seen_is_none() {
        for line in [
            "tracing::debug!(%client, %error, \"no token from this address\");",
            "tracing::info!(address = %bound, \"served\");",
            "panic!(\"{address}\");",
            "tracing::debug!(%error, \"x\"); drop(token);",
            "#[cfg(test)]\nmod tests {\n    fn a() { debug!(%address); }\n}",
        ] {
            assert_eq!(places(line), [""; 0], "{line}");
        }
    }
}
