use clap::{Arg, ArgAction, Command};

use super::*;

/// A program with a subcommand that takes a number, a file and a flag.
fn program() -> Command {
    let run = Command::new("run")
        .arg(Arg::new("file").required(true))
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_parser(clap::value_parser!(u32)),
        )
        .arg(
            Arg::new("key")
                .long("key")
                .env("STOA_DOCS_TEST_KEY")
                .required(true),
        )
        .arg(Arg::new("quick").long("quick").action(ArgAction::SetTrue));
    Command::new("stoad")
        .subcommand_required(true)
        .subcommand(run)
}

fn wrong(text: &str) -> Vec<String> {
    let document = Document {
        path: "docs/a.md".to_owned(),
        text: text.to_owned(),
    };
    wrong_commands(&[document], "stoad", &program())
}

/// The lines at which something is wrong.
fn lines(text: &str) -> Vec<usize> {
    let number = |finding: String| {
        finding
            .split([':', '`'])
            .nth(1)
            .and_then(|line| line.parse().ok())
    };
    wrong(text).into_iter().filter_map(number).collect()
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_in_claps_words() {
    let expected =
        "docs/a.md:3: `stoad run f --key=k --slow`: error: unexpected argument '--slow' found";
    let found = wrong("# A\n```sh\nstoad run f --key=k \\\n  --slow\n```\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(expected), "{found:?}");
}

#[test]
fn wrong_flags_and_subcommands_are_found_in_every_kind_of_code() {
    for bad in [
        "stoad run f --key k --slow",
        "stoad walk f",
        "stoad run f --key k --seconds x",
    ] {
        for language in ["sh", "bash", "shell"] {
            assert_eq!(
                lines(&format!("```{language}\n\n{bad}\n```\n")),
                [3],
                "{language}: {bad}"
            );
        }
        assert_eq!(
            lines(&format!("```console\nstoad walk\n$ {bad}\n```\n")),
            [3],
            "{bad}"
        );
        assert_eq!(lines(&format!("a\nb `{bad}`\n")), [2], "{bad}");
        assert!(
            lines(&format!("```text\n{bad}\n```\n{bad}\n")).is_empty(),
            "{bad}"
        );
    }
}

#[test]
fn a_program_is_called_in_many_ways() {
    for way in [
        "stoad",
        "target/release/stoad",
        "A=1 B='2 3' ./stoad",
        "cargo run --release --",
        "cargo run -p stoad --locked --",
        "cargo run --package=stoad --",
        "cargo run --bin stoad --",
        "docker run --volume /a:/b stoa:0.1.0",
        "kubectl exec POD -- stoad",
        "sudo stoad",
        "x | stoad",
        "x \"$(stoad walk)\"; true",
    ] {
        assert_eq!(lines(&format!("```sh\n{way} walk\n```\n")), [2], "{way}");
    }
    for other in [
        "cargo run -p other --",
        "cargo xtask",
        "docker run other:1",
        "stoad.yaml",
        "systemctl reload stoad;",
    ] {
        assert!(
            lines(&format!("```sh\n{other} walk\n```\n")).is_empty(),
            "{other}"
        );
    }
    // The image's own words.
    assert!(lines("```sh\ndocker run stoa:0.1.0\n```").is_empty());
}

#[test]
fn placeholders_stand_for_any_value_and_for_nothing_else() {
    for value in ["SECONDS", "<seconds>", "$SECONDS", "$(seconds)", "…"] {
        let good = format!("```sh\nstoad run FILE --key k --seconds={value}\n```\n");
        assert!(lines(&good).is_empty(), "{:?}", wrong(&good));
        let bad = format!("```sh\nstoad run FILE --key k --second={value}\n```\n");
        assert_eq!(lines(&bad), [2], "{value}");
    }
}

#[test]
fn only_where_a_command_is_mentioned_something_may_be_missing() {
    for short in ["stoad run", "stoad run f", "stoad run f --key"] {
        assert!(lines(&format!("`{short}`")).is_empty(), "{short}");
        assert_eq!(lines(&format!("```sh\n{short}\n```\n")), [2], "{short}");
    }
    assert!(lines("`stoad` ```stoad```\n```sh\nstoad run …\nstoad --help\n```").is_empty());
}

#[test]
fn what_is_exported_counts_for_the_document() {
    let exported = "```sh\nstoad run f\nexport STOA_DOCS_TEST_KEY=k\n```\n```sh\nstoad run f\nSTOA_DOCS_TEST_KEY=k stoad run f --slow\n```\n";
    assert_eq!(lines(exported), [2, 7]);
}
