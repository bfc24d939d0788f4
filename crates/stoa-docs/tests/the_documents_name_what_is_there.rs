//! A file that a document names in code is in this repository, under that path or a part of it; so is a test.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use stoa_docs::Kind;

/// Pages that name files of others.
const OTHER_PAGES: [&str; 2] = ["docs/audits.md", "docs/upstream/"];

/// What files end in whose names are looked at.
const ENDS: [&str; 8] = [
    ".rs", ".proto", ".mjs", ".py", ".sdp", ".yaml", ".conf", ".toml",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The paths of all files, from the repository's root.
fn all_files() -> Vec<String> {
    let mut found = Vec::new();
    files(&root(), Path::new(""), &mut found).expect("the repository can be read");
    found
}

fn files(root: &Path, folder: &Path, into: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type()?.is_dir();
        // What builds and package managers leave, and git's own, are no files of ours.
        let is_built = name == "target" && folder == Path::new("");
        let is_foreign = is_built || name.starts_with('.') || name == "node_modules";
        if is_folder && !is_foreign {
            files(root, &folder.join(name), into)?;
        } else if !is_folder {
            into.push(folder.join(name).to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// Whether this is the name of a file of ours. A path from the root of a machine is not, nor a part of a name (`...`), nor an
/// example: one with a word in capitals, or called foo.
fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let example = |word: &str| {
        word == "foo" || word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase())
    };
    ENDS.iter()
        .any(|end| text.len() > end.len() && text.ends_with(end))
        && text.chars().all(is_part)
        && !text.starts_with('/')
        && !text.contains("...")
        && !text.split(['/', '.']).any(example)
}

/// How many words the name of a test has at least. Shorter names are of many things.
const WORDS: usize = 5;

/// Whether this is the name of a test, or of something else with a name that is as long and stands in our sources.
fn is_long_name(text: &str) -> bool {
    let is_word = |word: &str| {
        let mut characters = word.chars();
        !word.is_empty() && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    text.split('_').count() >= WORDS && text.split('_').all(is_word)
}

/// What the documents name in code that is a `name` and is not there: file and line.
fn wrong(is_name: impl Fn(&str) -> bool, is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for document in stoa_docs::documents().expect("the documents can be read") {
        if OTHER_PAGES
            .iter()
            .any(|page| document.path.starts_with(page))
        {
            continue;
        }
        for code in document.code() {
            if code.kind == Kind::Span && is_name(&code.text) && !is_there(&code.text) {
                wrong.push(format!("{}:{}: {}", document.path, code.line, code.text));
            }
        }
    }
    wrong
}

#[test]
fn the_documents_name_files_that_are_there() {
    let there = all_files();
    let is_there = |name: &str| {
        let name = name.trim_start_matches("../");
        let end = format!("/{name}");
        there
            .iter()
            .any(|path| path == name || path.ends_with(&end))
    };
    assert!(is_there("document.rs") && is_there("src/document.rs") && !is_there("ment.rs"));
    let wrong = wrong(is_name, is_there);
    assert!(wrong.is_empty(), "there are no such files: {wrong:#?}");
}

#[test]
fn the_documents_name_tests_that_are_there() {
    let mut there = BTreeSet::new();
    for path in all_files() {
        if [".rs", ".proto"].iter().any(|end| path.ends_with(end)) {
            let text = fs::read_to_string(root().join(&path)).expect("a source");
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            there.extend(words.filter(|word| is_long_name(word)).map(str::to_owned));
            let name = path
                .rsplit('/')
                .next()
                .and_then(|name| name.split('.').next());
            there.extend(name.map(str::to_owned));
        }
    }
    assert!(there.contains("the_documents_name_tests_that_are_there"));
    let wrong = wrong(is_long_name, |name| there.contains(name));
    assert!(wrong.is_empty(), "there are no such tests: {wrong:#?}");
}
