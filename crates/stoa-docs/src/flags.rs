//! Flags that a page names alone, as `--json FILE`: those of the program that the page is about.

use crate::document::{Document, Kind};

/// Pages about one program: the page, the program, and flags of others that it names.
const PAGES: [(&str, &str, &[&str]); 5] = [
    ("docs/doctor.md", "stoad", &[]),
    ("docs/load-testing.md", "stoa-load", &[]),
    ("docs/operations.md", "stoad", &[]),
    // Cargo's, and those of benches/browser/onset.py.
    (
        "docs/performance.md",
        "stoa-bench",
        &["--release", "--prerolls", "--scenarios", "--bursts"],
    ),
    ("docs/talk.md", "stoa-talk", &[]),
];

/// Flags on a program's pages that neither it nor any of its subcommands has: file, line and flag.
pub(crate) fn wrong(document: &Document, program: &str, command: &clap::Command) -> Vec<String> {
    let is_this = |page: &&(&str, &str, _)| page.0 == document.path && page.1 == program;
    let Some((_, _, others)) = PAGES.iter().find(is_this) else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for code in document.code() {
        if code.kind != Kind::Span || !code.text.starts_with("--") {
            continue;
        }
        let words = code.text.split_whitespace();
        let words = words.map(|word| word.split('=').next().unwrap_or_default());
        for flag in words.filter(|word| word.starts_with("--") && !others.contains(word)) {
            if !has(command, &flag[2..]) {
                let place = format!("{}:{}", document.path, code.line);
                wrong.push(format!("{place}: `{}`: {program} has no {flag}", code.text));
            }
        }
    }
    wrong
}

fn has(command: &clap::Command, long: &str) -> bool {
    let mut own = command.get_arguments();
    own.any(|argument| argument.get_long() == Some(long))
        || command.get_subcommands().any(|command| has(command, long))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    #[test]
    fn a_flag_that_the_program_of_a_page_does_not_have_is_found() {
        let run = Command::new("run").arg(Arg::new("json").long("json"));
        let program = Command::new("stoa-bench").subcommand(run);
        let document = |path: &str| Document {
            path: path.to_owned(),
            text: "`--json FILE`, `--release`\n`--jsn=x --quick`\n".to_owned(),
        };
        let page = document("docs/performance.md");
        let expected = ["jsn", "quick"].map(|flag| {
            format!("docs/performance.md:2: `--jsn=x --quick`: stoa-bench has no --{flag}")
        });
        assert_eq!(wrong(&page, "stoa-bench", &program), expected);
        assert!(wrong(&page, "stoad", &program).is_empty());
        assert!(wrong(&document("docs/a.md"), "stoa-bench", &program).is_empty());
    }
}
