//! Markdown documents, and the code in them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A document of this repository.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it is, from the repository's root.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Something in a document that is marked as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The line it begins in, from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
    /// What is in it, without its marks. Of code within a line, a break of lines is a space.
    pub text: String,
}

/// What code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A fenced block, and its language; empty if it has none.
    Block(String),
    /// Within a line, between backticks.
    Span,
}

/// The documents that people read: those at the root, in `docs/`, and what is called README in `deploy/`.
///
/// # Errors
///
/// A file or a folder cannot be read.
pub fn documents() -> io::Result<Vec<Document>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let at_root = ["README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY"];
    let mut paths: Vec<PathBuf> = at_root.map(|name| format!("{name}.md").into()).into();
    collect(&root, Path::new("docs"), &mut paths)?;
    collect(&root, Path::new("deploy"), &mut paths)?;
    paths.sort();
    let read = |path: PathBuf| {
        Ok(Document {
            text: fs::read_to_string(root.join(&path))?,
            path: path.to_string_lossy().into_owned(),
        })
    };
    paths.into_iter().map(read).collect()
}

fn collect(root: &Path, folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = folder.join(&name);
        if entry.file_type()?.is_dir() {
            // What npm leaves is not ours.
            if name != "node_modules" {
                collect(root, &path, into)?;
            }
        } else if name.ends_with(".md") || name.starts_with("README") {
            into.push(path);
        }
    }
    Ok(())
}

impl Document {
    /// All that is marked as code: the blocks in their order, then what is within lines.
    #[must_use]
    pub fn code(&self) -> Vec<Code> {
        let (mut found, prose) = blocks(&self.text);
        found.extend(spans(&prose));
        found
    }
}

/// The fenced blocks, and the text without them, in as many lines.
fn blocks(text: &str) -> (Vec<Code>, String) {
    let mut found = Vec::new();
    let mut prose = String::new();
    let mut open: Option<(Code, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        match &mut open {
            Some((_, fence)) if trimmed.trim_end() == fence => {
                found.extend(open.take().map(|(code, _)| code));
            }
            Some((code, _)) => {
                code.text += line;
                code.text.push('\n');
            }
            None if trimmed.starts_with("```") => {
                let language = trimmed.trim_start_matches('`');
                let fence = "`".repeat(trimmed.len() - language.len());
                let language = language.split_whitespace().next().unwrap_or_default();
                let code = Code {
                    // What is in it begins in the line below.
                    line: index + 2,
                    kind: Kind::Block(language.to_owned()),
                    text: String::new(),
                };
                open = Some((code, fence));
            }
            None => prose += line,
        }
        prose.push('\n');
    }
    found.extend(open.map(|(code, _)| code));
    (found, prose)
}

/// Code within lines: as many backticks at its end as at its beginning, in the same paragraph.
fn spans(prose: &str) -> Vec<Code> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = prose[at..].find('`').map(|offset| at + offset) {
        let inside = begin + ticks(&prose[begin..]);
        let paragraph = prose[inside..].find("\n\n");
        let paragraph = paragraph.map_or(prose.len(), |length| inside + length);
        let Some(end) = closing(&prose[inside..paragraph], inside - begin) else {
            at = inside;
            continue;
        };
        let words: Vec<_> = prose[inside..inside + end].split_whitespace().collect();
        found.push(Code {
            line: prose[..begin].matches('\n').count() + 1,
            kind: Kind::Span,
            text: words.join(" "),
        });
        at = inside + end + (inside - begin);
    }
    found
}

/// How many backticks a text begins with.
fn ticks(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

/// Where the next run of exactly so many backticks begins.
fn closing(text: &str, count: usize) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text[at..].find('`')?;
        let run = ticks(&text[at..]);
        if run == count {
            return Some(at);
        }
        at += run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<(usize, Kind, String)> {
        let document = Document {
            path: "docs/a.md".to_owned(),
            text: text.to_owned(),
        };
        let code = document.code().into_iter();
        code.map(|code| (code.line, code.kind, code.text)).collect()
    }

    #[test]
    fn blocks_have_their_language_and_the_line_of_what_is_in_them() {
        let text = "a\n```sh title\nstoad dev\n\n`no`\n```\n\n  ````\n```\n  ````\n";
        let block = |language: &str| Kind::Block(language.to_owned());
        let expected = [
            (3, block("sh"), "stoad dev\n\n`no`\n".to_owned()),
            (9, block(""), "```\n".to_owned()),
        ];
        assert_eq!(code(text), expected);
    }

    #[test]
    fn code_within_lines_may_go_on_in_the_next_one_but_not_in_the_next_paragraph() {
        let text = "`a` ``b ` c``\n| x | `d\n  e` |\n\n`open\n\nand `f`";
        let texts: Vec<_> = code(text)
            .into_iter()
            .map(|(line, _, text)| (line, text))
            .collect();
        let expected = [(1, "a"), (1, "b ` c"), (2, "d e"), (7, "f")];
        assert_eq!(texts, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn every_block_says_what_it_is() {
        // One without a language would escape whoever looks for commands.
        let mut silent = Vec::new();
        for document in documents().expect("the documents can be read") {
            for code in document.code() {
                if code.kind == Kind::Block(String::new()) {
                    silent.push(format!("{}:{}", document.path, code.line - 1));
                }
            }
        }
        assert!(silent.is_empty(), "say `sh` or `text` there: {silent:#?}");
    }
}
