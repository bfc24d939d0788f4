//! Checks on the text of Rust files: length, names, leftovers, unwraps and sleeps.

use super::Finding;
use super::source::Source;

/// The longest file that one still reads as a whole.
const MOST_LINES: usize = 400;

/// Files that may be longer, each with the reason. Empty is best.
pub(super) const LONG_FILES: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside, so that anything ends up inside.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "misc", "common"];

/// Channels that grow as long as nobody reads them.
const UNBOUNDED: [&str; 4] = [
    "unbounded_channel",
    "UnboundedSender",
    "UnboundedReceiver",
    "mpsc::channel()",
];

/// Leftovers in code.
const UNFINISHED: [&str; 2] = ["todo!", "unimplemented!"];

/// Leftovers in comments.
const NOTES: [&str; 3] = ["TODO", "FIXME", "XXX"];

pub(super) fn length(source: &Source, allowed: &[(&str, &str)]) -> Vec<Finding> {
    let lines = source.code.len();
    let listed = allowed.iter().find(|(path, _)| *path == source.path);
    match (lines > MOST_LINES, listed) {
        (true, None) => vec![Finding::new(
            source.path.clone(),
            format!(
                "{lines} lines, of at most {MOST_LINES}: nobody reads that as a whole; split it \
                 where one part can be understood without the other (long tests go to tests.rs \
                 beside it)"
            ),
        )],
        (false, Some(_)) => vec![Finding::new(
            source.path.clone(),
            "is short enough: take it off the list LONG_FILES in xtask".to_owned(),
        )],
        _ => Vec::new(),
    }
}

/// Entries of the list of long files whose file is gone.
pub(super) fn gone(sources: &[Source], allowed: &[(&str, &str)]) -> Vec<Finding> {
    let gone = allowed
        .iter()
        .filter(|(path, _)| sources.iter().all(|source| source.path != *path));
    gone.map(|(path, _)| {
        Finding::new(
            (*path).to_owned(),
            "does not exist: take it off the list LONG_FILES in xtask".to_owned(),
        )
    })
    .collect()
}

pub(super) fn names(source: &Source) -> Vec<Finding> {
    let why = "says nothing about what is inside, so anything ends up inside: name it after what \
               it does";
    let mut findings = Vec::new();
    let in_tests = source.path.split('/').any(|part| part == "tests");
    for part in source.path.split('/') {
        let name = part.strip_suffix(".rs").unwrap_or(part);
        // The one place where cargo's own convention is `tests/common`.
        if EMPTY_NAMES.contains(&name) && !(name == "common" && in_tests) {
            findings.push(Finding::new(source.path.clone(), format!("`{name}` {why}")));
        }
    }
    for (line, code, _) in source.lines() {
        let words: Vec<_> = code.split_whitespace().collect();
        let inline = words.windows(3).find(|w| w[0] == "mod" && w[2] == "{");
        if let Some(name) = inline
            .map(|w| w[1])
            .filter(|name| EMPTY_NAMES.contains(name))
        {
            findings.push(Finding::new(source.place(line), format!("`{name}` {why}")));
        }
    }
    findings
}

pub(super) fn leftovers(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code, _) in source.lines() {
        for word in UNFINISHED.iter().filter(|word| code.contains(**word)) {
            findings.push(Finding::new(
                source.place(line),
                format!("`{word}`: what is here works; what does not work is not here"),
            ));
        }
    }
    for (index, comment) in source.comments.iter().enumerate() {
        findings.extend(note(&source.place(index + 1), comment));
    }
    findings
}

/// A note to oneself in a line of any text.
pub(super) fn note(place: &str, line: &str) -> Option<Finding> {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    let word = words.find(|word| NOTES.contains(word))?;
    Some(Finding::new(
        place.to_owned(),
        format!("`{word}`: a note in the code is forgotten; do it now, or file an issue"),
    ))
}

pub(super) fn allowed_lints(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code, _) in source.lines() {
        let starts = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
        if !starts.iter().any(|start| code.contains(start)) {
            continue;
        }
        // An attribute may span lines; it ends at the first `]`.
        let attribute: Vec<_> = source.code[line - 1..].iter().map(String::as_str).collect();
        let attribute = attribute.join(" ");
        let attribute = attribute.split(']').next().unwrap_or_default();
        if !attribute.contains("reason =") {
            findings.push(Finding::new(
                source.place(line),
                "a lint is switched off without `reason = \"...\"`: the next reader cannot tell \
                 whether it still has to be"
                    .to_owned(),
            ));
        }
    }
    findings
}

pub(super) fn unwraps(source: &Source) -> Vec<Finding> {
    let lines = source.lines().filter(|(_, _, test)| !test);
    let lines = lines.filter(|(_, code, _)| code.contains(".unwrap()"));
    lines
        .map(|(line, _, _)| {
            Finding::new(
                source.place(line),
                "`.unwrap()` outside a test: return a typed error, or `expect(\"why this cannot \
                 fail\")`"
                    .to_owned(),
            )
        })
        .collect()
}

/// Queues without a limit. Tests know how much they send.
pub(super) fn unbounded(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code, _) in source.lines().filter(|(_, _, test)| !test) {
        findings.extend(UNBOUNDED.iter().find(|word| code.contains(**word)).map(|word| {
            Finding::new(
                source.place(line),
                format!(
                    "`{word}` outside a test: a queue without a limit is how one slow peer takes \
                     all memory; name the limit, and what happens when it is reached"
                ),
            )
        }));
    }
    findings
}

/// Any sleep in a test, and any that blocks a thread elsewhere, says what bounds it.
pub(super) fn sleeps(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code, test) in source.lines() {
        let sleeps = if test {
            code.contains("sleep(") && !code.contains("fn ")
        } else {
            code.contains("thread::sleep(")
        };
        if sleeps && !says_bounded(source, line) {
            findings.push(Finding::new(
                source.place(line),
                "a sleep is a guess: too short on a slow machine, too long on every other. Wait \
                 for the condition; where a poll has to pause, say `// bounded: by what` on this \
                 line or just above"
                    .to_owned(),
            ));
        }
    }
    findings
}

/// Whether a comment on this line, or in the comment lines right above it, says `bounded:`.
fn says_bounded(source: &Source, line: usize) -> bool {
    let index = line - 1;
    let above = (0..index)
        .rev()
        .take_while(|i| source.code[*i].trim().is_empty() && !source.comments[*i].is_empty());
    std::iter::once(index)
        .chain(above)
        .any(|i| source.comments[i].trim_start().starts_with("bounded:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::parse(path, text)
    }

    #[test]
    fn a_long_file_needs_a_place_on_the_list() {
        let long = source("crates/x/src/a.rs", &"fn a() {}\n".repeat(MOST_LINES + 1));
        assert_eq!(length(&long, &[]).len(), 1);
        assert!(length(&long, &[("crates/x/src/a.rs", "a table")]).is_empty());
        let short = source("crates/x/src/a.rs", &"fn a() {}\n".repeat(MOST_LINES));
        assert!(length(&short, &[]).is_empty());
        assert_eq!(length(&short, &[("crates/x/src/a.rs", "a table")]).len(), 1);
        assert_eq!(gone(&[short], &[("crates/x/src/b.rs", "a table")]).len(), 1);
    }

    #[test]
    fn a_module_has_a_name_that_says_something() {
        for path in [
            "crates/x/src/utils.rs",
            "crates/x/src/misc/a.rs",
            "xtask/src/common.rs",
        ] {
            assert_eq!(names(&source(path, "")).len(), 1, "{path}");
        }
        assert_eq!(
            names(&source("crates/x/src/a.rs", "mod helpers {\n}\n")).len(),
            1
        );
        assert!(names(&source("crates/x/tests/common/mod.rs", "")).is_empty());
        assert!(names(&source("crates/x/src/seal.rs", "mod keys {}\n")).is_empty());
    }

    #[test]
    fn leftovers_are_found_where_they_count() {
        let count = |text| leftovers(&source("crates/x/src/a.rs", text)).len();
        assert_eq!(count("fn a() { todo!() }\n"), 1);
        assert_eq!(count("fn a() { unimplemented!(\"b\") }\n"), 1);
        assert_eq!(count("// FIXME: b\nfn a() {} // XXX\n"), 2);
        assert_eq!(count("const A: &str = \"FIXME todo!\"; // MAXXX\n"), 0);
        assert!(note("a.py:1", "# TODO: b").is_some());
    }

    #[test]
    fn a_lint_is_switched_off_with_a_reason() {
        let count = |text| allowed_lints(&source("crates/x/src/a.rs", text)).len();
        assert_eq!(count("#[allow(dead_code)]\nfn a() {}\n"), 1);
        assert_eq!(count("#![expect(dead_code)]\n"), 1);
        assert_eq!(
            count("#[allow(\n    dead_code,\n    reason = \"b\"\n)]\nfn a() {}\n"),
            0
        );
        assert_eq!(count("#[allow(dead_code)]\nfn a() { reason = 1 }\n"), 1);
    }

    #[test]
    fn an_unwrap_is_for_tests() {
        let count = |path, text| unwraps(&source(path, text)).len();
        assert_eq!(count("crates/x/src/a.rs", "fn a() { b().unwrap() }\n"), 1);
        assert_eq!(
            count("crates/x/src/a.rs", "fn a() { b().unwrap_or(1) }\n"),
            0
        );
        assert_eq!(count("crates/x/tests/a.rs", "fn a() { b().unwrap() }\n"), 0);
    }

    #[test]
    fn a_queue_has_a_limit() {
        let count = |path, text| unbounded(&source(path, text)).len();
        for text in [
            "mpsc::unbounded_channel();\n",
            "std::sync::mpsc::channel();\n",
        ] {
            assert_eq!(count("crates/x/src/a.rs", text), 1, "{text}");
            assert_eq!(count("crates/x/tests/a.rs", text), 0, "{text}");
        }
        assert_eq!(count("crates/x/src/a.rs", "mpsc::channel(LIMIT);\n"), 0);
    }

    #[test]
    fn a_sleep_says_what_bounds_it() {
        let count = |path, text| sleeps(&source(path, text)).len();
        let test = "crates/x/tests/a.rs";
        assert_eq!(count(test, "tokio::time::sleep(PAUSE).await;\n"), 1);
        assert_eq!(count(test, "sleep(PAUSE); // bounded: by DEADLINE\n"), 0);
        assert_eq!(
            count(
                test,
                "// bounded: by DEADLINE,\n// polling\nsleep(PAUSE);\n"
            ),
            0
        );
        assert_eq!(
            count(test, "// bounded: by DEADLINE\na();\nsleep(PAUSE);\n"),
            1
        );
        let code = "crates/x/src/a.rs";
        assert_eq!(count(code, "std::thread::sleep(PAUSE);\n"), 1);
        assert_eq!(count(code, "tokio::time::sleep(PAUSE).await;\n"), 0);
    }
}
