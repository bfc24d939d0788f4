//! `cargo xtask fuzz`: libFuzzer searches for inputs that break a property (`fuzz/`).
//!
//! It needs no other toolchain than the one that is there: the compiler's own pass counts which edges of the code an
//! input takes, which is all that libFuzzer wants to know, and the checks of a debug build are on. With `--addresses`,
//! AddressSanitizer watches what the unsafe code of dependencies reads and writes.

mod run;

use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process,
    report::Failure,
    workspace::{self, Workspace},
};
use run::Found;

/// Count edges, as `cargo fuzz` does, and note what is compared, so that a search learns numbers and words.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";

/// AddressSanitizer. It comes with the toolchain, and the compiler calls it unstable.
const ADDRESSES: &str = " -Zsanitizer=address";

/// How it is searched.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long, in minutes, all targets together
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Search with this target only (may be given more than once)
    #[arg(long, value_name = "TARGET")]
    target: Vec<String>,
    /// With AddressSanitizer, in a build of its own: slower, for the unsafe code of dependencies
    #[arg(long)]
    addresses: bool,
}

/// Builds the search and runs it, one target after the other. An error if an input broke a property.
pub(crate) fn all(options: &Options) -> Result<(), Failure> {
    let workspace = workspace::read()?;
    let targets = chosen(&workspace.root, &options.target)?;
    let program = build(&workspace, options.addresses)?;
    let seconds = (options.minutes * 60 / u32::try_from(targets.len()).unwrap_or(1)).max(1);
    println!(
        "{} targets, {seconds} s each, one after the other",
        targets.len()
    );
    let shows_progress = std::io::stderr().is_terminal();
    let mut found = Vec::new();
    for target in &targets {
        let folders = run::Folders::of(&workspace, target)?;
        found.push(run::search(
            &program,
            target,
            &folders,
            seconds,
            shows_progress,
        )?);
    }
    println!("\n{}", table(&found));
    let broken: Vec<&Found> = found.iter().filter(|found| found.crash.is_some()).collect();
    for found in &broken {
        let kept = found.crash.as_deref().unwrap_or(Path::new(""));
        println!("{}: {}", found.target, kept.display());
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        "inputs that break a property are in the corpus by now, made as short as was possible; \
         `cargo test -p stoa-fuzz` fails with them until they are mended",
    ))
}

/// The targets by the folders of the corpus, or those of them that were asked for.
fn chosen(root: &Path, wanted: &[String]) -> Result<Vec<String>, Failure> {
    let corpus = root.join("fuzz/corpus");
    let failed = |error| Failure::new(format!("{} cannot be listed: {error}", corpus.display()));
    let mut targets = Vec::new();
    for entry in fs::read_dir(&corpus).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        targets.push(name.to_string_lossy().into_owned());
    }
    targets.sort();
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(name)) {
        let known = targets.join(", ");
        return Err(Failure::new(format!(
            "there is no target {unknown}; there are {known}"
        )));
    }
    if !wanted.is_empty() {
        targets.retain(|target| wanted.contains(target));
    }
    Ok(targets)
}

/// The instrumented program. Its builds have a folder of their own, and keep nothing else from being built.
fn build(workspace: &Workspace, addresses: bool) -> Result<PathBuf, Failure> {
    let triple = host()?;
    let name = if addresses { "fuzz-address" } else { "fuzz" };
    let folder = workspace.target.join(name);
    let mut command = process::cargo();
    let mut flags = INSTRUMENTATION.to_owned();
    if addresses {
        flags.push_str(ADDRESSES);
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    command
        .current_dir(&workspace.root)
        .env("RUSTFLAGS", flags)
        .args(["build", "--locked", "--package", "stoa-fuzz"])
        .args(["--bin", "search", "--features", "libfuzzer"])
        // With a target named, build scripts and macros are not instrumented.
        .args(["--profile", "fuzz", "--target", &triple, "--target-dir"])
        .arg(&folder);
    process::run(&mut command)?;
    Ok(folder.join(triple).join("fuzz/search"))
}

fn host() -> Result<String, Failure> {
    let version = process::capture(Command::new("rustc").arg("-vV"))?;
    let mut lines = version.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failure::new("rustc does not say what it builds for"))
}

/// One row for each target.
fn table(found: &[Found]) -> String {
    use std::fmt::Write as _;
    let width = found.iter().map(|found| found.target.len());
    let width = width.max().unwrap_or(0).max("target".len());
    let mut out = format!(
        "{:width$}  {:>7}  {:>10}  {:>7}  {:>15}  {:>6}  result\n",
        "target", "seconds", "inputs", "a second", "edges", "kept"
    );
    for row in found {
        let edges = format!("{} -> {}", row.first_edges, row.edges);
        let result = match row.crash {
            Some(_) => "BROKEN",
            None => "held",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:width$}  {:>7}  {:>10}  {:>8}  {edges:>15}  {:>6}  {result}",
            row.target,
            row.seconds,
            row.inputs,
            row.inputs / row.seconds.max(1),
            row.kept,
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_there_is_not_is_named() {
        let root = workspace::root();
        let all = chosen(&root, &[]).expect("the corpus is there");
        assert!(all.len() > 10, "{all:?}");
        let one = chosen(&root, &["red".to_owned()]).expect("there is one");
        assert_eq!(one, ["red"]);
        let error = chosen(&root, &["blue".to_owned()]).expect_err("there is none");
        assert!(error.to_string().contains("blue"), "{error}");
    }

    #[test]
    fn the_table_says_what_broke() {
        let found = Found {
            target: "red".to_owned(),
            seconds: 10,
            inputs: 12_345,
            first_edges: 5,
            edges: 70,
            kept: 3,
            crash: Some(PathBuf::from("x")),
        };
        let table = table(&[found]);
        let line = table.lines().nth(1).expect("a row");
        assert!(line.contains("1234") && line.contains("5 -> 70"), "{line}");
        assert!(line.ends_with("BROKEN"), "{line}");
    }
}
