//! One target's search: libFuzzer as another process, and what it says of its progress.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{report::Failure, workspace::Workspace};

/// The longest that one input may take, in seconds.
const SLOWEST: u32 = 20;

/// The most memory of a search, in MiB: a parser that wants more for an input of some kilobytes is broken.
const MOST_MEMORY: u32 = 2_048;

/// How long an input that breaks something is made shorter, in seconds.
const SHORTENING: u32 = 20;

/// Where a target's inputs are.
#[derive(Debug)]
pub(super) struct Folders {
    /// Those of the project.
    corpus: PathBuf,
    /// Those that earlier searches found worth keeping: of this machine alone.
    found: PathBuf,
    /// Those that broke something.
    broken: PathBuf,
}

/// What a search has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) target: String,
    pub(super) seconds: u64,
    /// How many were tried.
    pub(super) inputs: u64,
    /// Edges of the code that the inputs of before take, and all now.
    pub(super) first_edges: u64,
    pub(super) edges: u64,
    /// How many were kept because they led somewhere new.
    pub(super) kept: u64,
    /// The input that broke a property, in the corpus.
    pub(super) crash: Option<PathBuf>,
}

impl Folders {
    /// Makes those that are not there.
    pub(super) fn of(workspace: &Workspace, target: &str) -> Result<Self, Failure> {
        let of_machine = workspace.target.join("fuzz");
        let folders = Self {
            corpus: workspace.root.join("fuzz/corpus").join(target),
            found: of_machine.join("found").join(target),
            broken: of_machine.join("broken").join(target),
        };
        for folder in [&folders.found, &folders.broken] {
            let made = fs::create_dir_all(folder);
            made.map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        }
        Ok(folders)
    }
}

/// Searches for so many seconds, or until something breaks.
pub(super) fn search(
    program: &Path,
    target: &str,
    folders: &Folders,
    seconds: u32,
    shows_progress: bool,
) -> Result<Found, Failure> {
    let before = artifacts(&folders.broken);
    let mut command = libfuzzer(program, target, folders);
    command
        .arg(format!("-max_total_time={seconds}"))
        .args([&folders.found, &folders.corpus])
        .stderr(Stdio::piped());
    let failed = |error| Failure::new(format!("{} did not run: {error}", program.display()));
    let began = std::time::Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let mut found = Found {
        target: target.to_owned(),
        ..Found::default()
    };
    let mut last = Vec::new();
    let said = child.stderr.take().map(BufReader::new);
    // What a panic quotes of an input need not be UTF-8.
    for line in said.into_iter().flat_map(|said| said.split(b'\n')) {
        let line = line.map_err(failed)?;
        let line = String::from_utf8_lossy(&line).into_owned();
        found.read(&line);
        if shows_progress && line.starts_with('#') {
            // Nobody is there to read it where this fails.
            let _ = write!(std::io::stderr(), "\r\x1b[K{target}: {line}");
        }
        last.push(line);
        if last.len() > 60 {
            last.remove(0);
        }
    }
    let status = child.wait().map_err(failed)?;
    found.seconds = began.elapsed().as_secs();
    if shows_progress {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    println!("{target}: {} inputs, {} edges", found.inputs, found.edges);
    if status.success() {
        return Ok(found);
    }
    println!("{}", last.join("\n"));
    let mut new = artifacts(&folders.broken);
    new.retain(|path| !before.contains(path));
    let Some(input) = new.pop() else {
        return Err(Failure::new(format!(
            "{target}: libFuzzer ended with {status}"
        )));
    };
    found.crash = Some(keep(program, target, folders, &input)?);
    Ok(found)
}

fn libfuzzer(program: &Path, target: &str, folders: &Folders) -> Command {
    let mut command = Command::new(program);
    command
        .env("STOA_FUZZ_TARGET", target)
        .args([
            format!("-timeout={SLOWEST}"),
            format!("-rss_limit_mb={MOST_MEMORY}"),
            format!("-artifact_prefix={}/", folders.broken.display()),
            "-print_final_stats=1".to_owned(),
        ])
        .stdin(Stdio::null());
    command
}

fn artifacts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Makes an input shorter that breaks something, and puts it into the corpus.
fn keep(program: &Path, target: &str, folders: &Folders, input: &Path) -> Result<PathBuf, Failure> {
    let name = input.file_name().unwrap_or_default();
    let kept = folders.corpus.join(name);
    let shorter = input.with_extension("shorter");
    let mut command = libfuzzer(program, target, folders);
    command
        .arg("-minimize_crash=1")
        .arg(format!("-max_total_time={SHORTENING}"))
        .arg(format!("-exact_artifact_path={}", shorter.display()))
        .arg(input)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // It fails where nothing shorter breaks it, too.
    let _ = command.status();
    let best = if shorter.exists() { &shorter } else { input };
    let copied = fs::copy(best, &kept);
    copied.map_err(|error| Failure::new(format!("{}: {error}", kept.display())))?;
    Ok(kept)
}

impl Found {
    /// Takes what a line of libFuzzer says: `#17 NEW cov: 2416 ft: 3218 corp: 14/398b exec/s: 0 rss: 47Mb`, or at
    /// the end `stat::new_units_added: 549`.
    fn read(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("stat::new_units_added:") {
            self.kept = count.trim().parse().unwrap_or(self.kept);
        }
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            self.inputs = count.trim().parse().unwrap_or(self.inputs);
        }
        let Some(number) = line.strip_prefix('#') else {
            return;
        };
        let mut words = number.split_ascii_whitespace();
        let inputs = words.next().and_then(|number| number.parse().ok());
        let edges = words
            .skip_while(|word| *word != "cov:")
            .nth(1)
            .and_then(|edges| edges.parse().ok());
        if let (Some(inputs), Some(edges)) = (inputs, edges) {
            self.inputs = inputs;
            self.edges = edges;
            if self.first_edges == 0 {
                self.first_edges = edges;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_says_is_read() {
        let mut found = Found::default();
        for line in [
            "INFO: Seed: 3729920124",
            "#13\tINITED cov: 2415 ft: 3214 corp: 12/340b exec/s: 0 rss: 47Mb",
            "#15\tNEW    cov: 2416 ft: 3215 corp: 13/355b lim: 50 exec/s: 0 rss: 47Mb L: 15/50 MS: 2 Erase-",
            "\tNEW_FUNC[1/16]: 0x561a7fe34ea1",
            "#187347\tDONE   cov: 15064 ft: 19773 corp: 252/6932b lim: 981 exec/s: 8921 rss: 60Mb",
            "stat::number_of_executed_units: 187350",
            "stat::new_units_added:          549",
        ] {
            found.read(line);
        }
        assert_eq!((found.first_edges, found.edges), (2_415, 15_064));
        assert_eq!((found.inputs, found.kept), (187_350, 549));
    }
}
