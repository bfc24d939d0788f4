//! The project's own rules, as checks: each failure says where, what and why.
//!
//! Every check takes what it looks at as an argument and returns findings, so that its unit test
//! can show it a bad sample.

mod audits;
mod core;
mod crates;
mod dependencies;
mod links;
mod logs;
mod source;
mod sources;

use std::fs;
use std::path::Path;

use crate::report::{Failure, Outcome, Verdict};
use crate::workspace::{self, Workspace};
use source::Source;

/// The folders whose files the checks read.
const FOLDERS: [&str; 5] = ["crates", "xtask", "benches", "fuzz", "docs"];

/// Text files other than Rust that are looked through for notes to oneself.
const OTHER_TEXT: [&str; 10] = [
    "md", "py", "js", "mjs", "ts", "cjs", "html", "css", "proto", "sh",
];

/// Documents beside those in the folders.
const DOCUMENTS: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];

/// One thing that is not as it should be.
#[derive(Debug)]
struct Finding {
    /// `path` or `path:line`.
    place: String,
    /// What is wrong and why it matters.
    message: String,
}

impl Finding {
    fn new(place: String, message: String) -> Self {
        Self { place, message }
    }
}

/// Runs every check; fails with all findings, not only the first.
pub(crate) fn step() -> Outcome {
    let workspace = workspace::read()?;
    let mut texts = Vec::new();
    for folder in FOLDERS {
        collect(&workspace.root, &workspace.root.join(folder), &mut texts)?;
    }
    texts.sort();
    let sources: Vec<Source> = texts
        .iter()
        .filter(|(path, _)| path.ends_with(".rs"))
        .map(|(path, text)| Source::parse(path, text))
        .collect();

    let mut findings = check_sources(&sources);
    findings.extend(check_other_text(&texts));
    findings.extend(check_links(&workspace.root, &texts)?);
    findings.extend(check_crates(&workspace, &sources)?);
    println!("{} Rust files looked at", sources.len());
    if findings.is_empty() {
        return Ok(Verdict::Passed);
    }
    for finding in &findings {
        println!("{}: {}", finding.place, finding.message);
    }
    Err(Failure::new(format!(
        "{} findings, listed above",
        findings.len()
    )))
}

fn check_sources(sources: &[Source]) -> Vec<Finding> {
    let mut findings = sources::gone(sources, sources::LONG_FILES);
    for source in sources {
        findings.extend(sources::length(source, sources::LONG_FILES));
        findings.extend(sources::names(source));
        findings.extend(sources::leftovers(source));
        findings.extend(sources::allowed_lints(source));
        findings.extend(sources::unwraps(source));
        findings.extend(sources::unbounded(source));
        findings.extend(sources::sleeps(source));
        findings.extend(logs::raw_values(source));
        findings.extend(core::source(source));
    }
    findings
}

fn check_other_text(texts: &[(String, String)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| !path.ends_with(".rs")) {
        for (index, line) in text.lines().enumerate() {
            findings.extend(sources::note(&format!("{path}:{}", index + 1), line));
        }
    }
    findings
}

fn check_links(root: &Path, texts: &[(String, String)]) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for path in DOCUMENTS {
        findings.extend(links::check(root, path, &read(&root.join(path))?));
    }
    for (path, text) in texts.iter().filter(|(path, _)| path.ends_with(".md")) {
        findings.extend(links::check(root, path, text));
    }
    Ok(findings)
}

fn check_crates(workspace: &Workspace, sources: &[Source]) -> Result<Vec<Finding>, Failure> {
    let root = &workspace.root;
    let mut findings = Vec::new();
    for package in workspace.members() {
        let path = relative(root, &package.manifest);
        findings.extend(core::manifest(package, &path));
        findings.extend(crates::manifest(package, &path, &read(&package.manifest)?));
        for file in &package.roots {
            let path = relative(root, file);
            let source = sources.iter().find(|source| source.path == path);
            findings.extend(crates::unsafe_code(package, &path, source));
        }
    }
    let members: Vec<_> = workspace.members().collect();
    findings.extend(crates::directions(&members, crates::DIRECTIONS));
    findings.extend(crates::toolchain_files(root));

    let declared = dependencies::declared(&read(&root.join("Cargo.toml"))?);
    let page = read(&root.join(dependencies::PAGE))?;
    findings.extend(dependencies::page(&declared, &page));
    findings.extend(dependencies::unused(&declared, &members));

    let lock = read(&root.join("Cargo.lock"))?;
    let page = read(&root.join(audits::PAGE))?;
    findings.extend(audits::page(&audits::locked(&lock), &page));
    Ok(findings)
}

/// Reads the text files below `folder`, with their paths from `root`.
fn collect(root: &Path, folder: &Path, into: &mut Vec<(String, String)>) -> Result<(), Failure> {
    if !folder.exists() {
        return Ok(());
    }
    let failed = |error| Failure::new(format!("{} cannot be listed: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            // What builds and package managers leave is not ours.
            let foreign = ["target", "node_modules", "__pycache__"].contains(&name);
            if !foreign && !name.starts_with('.') {
                collect(root, &path, into)?;
            }
        } else if extension == "rs" || OTHER_TEXT.contains(&extension) {
            into.push((relative(root, &path), read(&path)?));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}
