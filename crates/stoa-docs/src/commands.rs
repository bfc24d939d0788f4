//! Which commands of the documents a program does not take.

use std::collections::BTreeMap;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::document::{self, Code, Document, Kind};
use crate::flags;
use crate::shell::{self, Simple};

/// The programs whose commands are looked at. All but the last are the names of their packages, too.
pub const PROGRAMS: [&str; 6] = [
    "stoad",
    "stoa-load",
    "stoa-sim",
    "stoa-bench",
    "stoa-talk",
    "xtask",
];

/// Languages of blocks with commands. In a `console` those are behind a prompt, and the rest is what was printed.
const SHELLS: [&str; 4] = ["sh", "bash", "shell", "console"];

/// What the test of a program asks for: that its command line takes each command of it in the documents.
///
/// # Panics
///
/// It does not: with file, line, command and clap's own words for each. Or `program` is none of [`PROGRAMS`], or the
/// documents cannot be read.
pub fn assert_commands(program: &str, command: &clap::Command) {
    assert!(PROGRAMS.contains(&program), "{program} is not in PROGRAMS");
    let documents = document::documents().expect("the documents can be read");
    let wrong = wrong_commands(&documents, program, command);
    assert!(
        wrong.is_empty(),
        "the documents have it wrong:\n{}",
        wrong.join("\n")
    );
}

fn wrong_commands(documents: &[Document], program: &str, command: &clap::Command) -> Vec<String> {
    let mut wrong = Vec::new();
    for document in documents {
        wrong.extend(flags::wrong(document, program, command));
        let mut variables = BTreeMap::new();
        for code in document.code() {
            for called in calls(&code, program, &mut variables) {
                if let Err(why) = check(&called, command) {
                    let place = format!("{}:{}", document.path, called.line);
                    let line = called.words.join(" ");
                    wrong.push(format!("{place}: `{line}`: {why}"));
                }
            }
        }
    }
    wrong
}

/// A call of a program.
#[derive(Debug)]
struct Call {
    line: usize,
    /// Beginning with the program's name.
    words: Vec<String>,
    /// Variables that are set for it.
    variables: BTreeMap<String, String>,
    /// Whether it is mentioned only, so that something may be missing.
    is_mentioned: bool,
}

/// The calls of a program in some code. What is exported there joins `variables`.
fn calls(code: &Code, program: &str, variables: &mut BTreeMap<String, String>) -> Vec<Call> {
    let script = match &code.kind {
        Kind::Span => code.text.clone(),
        Kind::Block(language) if language == "console" => typed(&code.text),
        Kind::Block(language) if SHELLS.contains(&language.as_str()) => code.text.clone(),
        Kind::Block(_) => return Vec::new(),
    };
    let is_mentioned = code.kind == Kind::Span;
    let mut found = Vec::new();
    for Simple { line, mut words } in shell::commands(&script) {
        let own = words
            .iter()
            .take_while(|word| assignment(word).is_some())
            .count();
        let before: Vec<String> = words.drain(..own).collect();
        let exported = words.first().is_some_and(|word| word == "export") && !is_mentioned;
        let kept = words.iter().filter(|_| exported);
        variables.extend(kept.filter_map(|word| assignment(word)));
        let Some(words) = called(&words, program) else {
            continue;
        };
        // The name alone, within a line, is the program and not a call of it.
        if is_mentioned && words.len() == 1 {
            continue;
        }
        let mut variables = variables.clone();
        variables.extend(before.iter().filter_map(|word| assignment(word)));
        found.push(Call {
            line: code.line + line,
            words,
            variables,
            is_mentioned,
        });
    }
    found
}

/// What is typed in a console: what is behind a prompt, and the lines that it goes on in. As many lines as there were.
fn typed(text: &str) -> String {
    let mut goes_on = false;
    let mut script = String::new();
    for line in text.lines() {
        let command = match goes_on {
            true => Some(line.strip_prefix("> ").unwrap_or(line)),
            false => line.strip_prefix("$ ").or_else(|| line.strip_prefix("# ")),
        };
        let command = command.unwrap_or_default();
        goes_on = command.ends_with('\\');
        script += command;
        script.push('\n');
    }
    script
}

/// `NAME=value`.
fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (name.to_owned(), value.to_owned()))
}

/// The words of a command that calls this program, from its name on.
fn called(words: &[String], program: &str) -> Option<Vec<String>> {
    let from = |rest: &[String]| Some([&[program.to_owned()], rest].concat());
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    match texts.as_slice() {
        ["cargo", "xtask", ..] if program == "xtask" => from(&words[2..]),
        ["cargo", "run" | "r", options @ ..] => {
            let end = options.iter().position(|word| *word == "--");
            let end = end.unwrap_or(options.len());
            let package = package(&options[..end]).unwrap_or("stoad");
            let rest = words.get(2 + end + 1..).unwrap_or_default();
            (package == program).then(|| from(rest)).flatten()
        }
        ["docker", "run", rest @ ..] if program == "stoad" => {
            let image = rest.iter().position(|word| word.starts_with("stoa:"))?;
            // Without words of its own it has those of the image.
            let rest = &words[2 + image + 1..];
            (!rest.is_empty()).then(|| from(rest)).flatten()
        }
        ["kubectl", "exec", options @ ..] => {
            let end = options.iter().position(|word| *word == "--")?;
            called(&words[2 + end + 1..], program)
        }
        [first, ..] if program != "xtask" && first.rsplit('/').next() == Some(program) => {
            from(&words[1..])
        }
        _ => None,
    }
}

/// The package that options of cargo choose.
fn package<'a>(options: &[&'a str]) -> Option<&'a str> {
    let named = |name: &str| {
        let at = options.iter().position(|word| *word == name);
        at.and_then(|at| options.get(at + 1).copied())
    };
    let joined = options
        .iter()
        .find_map(|word| word.strip_prefix("--package="));
    // A program of another name in a package is not its main one.
    named("--bin")
        .or_else(|| named("-p"))
        .or_else(|| named("--package"))
        .or(joined)
}

/// Whether a word stands for a value: in capitals, in angle brackets, with an ellipsis or a `$`.
fn is_placeholder(word: &str) -> bool {
    let value = word.split_once('=').map_or(word, |(_, value)| value);
    let mut parts = value.split(|c: char| !c.is_alphanumeric() && c != '_');
    let in_capitals = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && !part.contains(|c: char| c.is_lowercase())
    };
    value.contains(['<', '$', '…']) || value.contains("...") || parts.any(in_capitals)
}

fn check(call: &Call, command: &clap::Command) -> Result<(), String> {
    let has_placeholder = call.words.iter().skip(1).any(|word| is_placeholder(word));
    let mut words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    let length = words.len();
    // Alone, an ellipsis stands for all that belongs there.
    words.retain(|word| !["…", "..."].contains(word));
    let is_short = call.is_mentioned || words.len() < length;
    let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    words.extend(from_variables(command, &words, &call.variables));
    let Err(error) = prepared(command.clone(), has_placeholder).try_get_matches_from(words) else {
        return Ok(());
    };
    let no_value = Some(&ContextValue::String(String::new()));
    let is_fine = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => is_short,
        ErrorKind::InvalidValue => is_short && error.get(ContextKind::InvalidValue) == no_value,
        _ => false,
    };
    let text = error.to_string();
    let ends = ["\nUsage:", "\nFor more information"];
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    let said: Vec<_> = text[..end.unwrap_or(text.len())]
        .split_whitespace()
        .collect();
    match is_fine {
        true => Ok(()),
        false => Err(said.join(" ")),
    }
}

/// A command line that takes nothing from the environment of the test, and any value if `any_value`.
fn prepared(command: clap::Command, any_value: bool) -> clap::Command {
    let command = command.mut_args(|argument| {
        let argument = argument.env(None);
        match any_value && argument.get_action().takes_values() {
            true => argument.value_parser(clap::value_parser!(std::ffi::OsString)),
            false => argument,
        }
    });
    command.mut_subcommands(|command| prepared(command, any_value))
}

/// Arguments that variables stand for, unless they are given.
fn from_variables(
    command: &clap::Command,
    words: &[String],
    variables: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut command = command;
    for word in words.iter().skip(1) {
        match command.find_subcommand(word) {
            Some(subcommand) => command = subcommand,
            None => break,
        }
    }
    let mut found = Vec::new();
    for argument in command.get_arguments() {
        let variable = argument
            .get_env()
            .and_then(|name| variables.get(name.to_str()?));
        let (Some(value), Some(long)) = (variable, argument.get_long()) else {
            continue;
        };
        let flag = format!("--{long}");
        if !words
            .iter()
            .any(|word| word.split('=').next() == Some(&flag))
        {
            found.push(match argument.get_action().takes_values() {
                true => format!("{flag}={value}"),
                false => flag,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;
