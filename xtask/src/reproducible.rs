//! `cargo xtask reproducible`: whether the same sources give the same program, wherever they are.
//!
//! The daemon is built twice as it is released, from two copies of the sources under paths of different length, and
//! the two are compared byte by byte. It takes two release builds, so it is no step of the test command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process,
    report::Failure,
    workspace::{self, Workspace},
};

/// Where the sources seem to be, in what is built of them.
const SOURCES: &str = "/stoa";

/// Where those of the dependencies seem to be.
const REGISTRY: &str = "/cargo";

/// Builds twice and compares.
pub(crate) fn check() -> Result<(), Failure> {
    let workspace = workspace::read()?;
    let folder = workspace.target.join("reproducible");
    let copies = [folder.join("a"), folder.join("another-path-than-the-first")];
    let mut programs = Vec::new();
    for copy in &copies {
        copy_sources(&workspace, copy)?;
        programs.push(build(&workspace, copy)?);
    }
    let mut contents = Vec::new();
    for program in &programs {
        contents.push(fs::read(program).map_err(|error| failed(program, &error))?);
        process::run(Command::new("sha256sum").arg(program))?;
    }
    match difference(&contents[0], &contents[1]) {
        None => {
            println!("both are the same, {} bytes", contents[0].len());
            Ok(())
        }
        Some(at) => Err(Failure::new(format!(
            "the two differ, first at byte {at}: something of the place or the time of building is in them"
        ))),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

/// Where two programs first differ.
fn difference(first: &[u8], second: &[u8]) -> Option<usize> {
    let differs = first.iter().zip(second).position(|(a, b)| a != b);
    differs.or((first.len() != second.len()).then_some(first.len().min(second.len())))
}

/// The files that are under version control, as they are now.
fn copy_sources(workspace: &Workspace, to: &Path) -> Result<(), Failure> {
    if to.exists() {
        fs::remove_dir_all(to).map_err(|error| failed(to, &error))?;
    }
    let files = process::capture(
        Command::new("git")
            .current_dir(&workspace.root)
            .args(["ls-files", "-z"]),
    )?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (workspace.root.join(file), to.join(file));
        // Removed, and not yet committed so.
        if !from.exists() {
            continue;
        }
        let folder = to.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        fs::copy(&from, &to).map_err(|error| failed(&from, &error))?;
    }
    Ok(())
}

fn build(workspace: &Workspace, sources: &Path) -> Result<PathBuf, Failure> {
    let target = sources.join("target");
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .unwrap_or_default();
    let (from, home) = (sources.display(), cargo_home.display());
    let remap =
        format!("--remap-path-prefix={from}={SOURCES} --remap-path-prefix={home}={REGISTRY}");
    // For the C that is in some dependencies: SQLite and the cryptography.
    let c = format!("-ffile-prefix-map={from}={SOURCES} -ffile-prefix-map={home}={REGISTRY}");
    let time = process::capture(Command::new("git").current_dir(&workspace.root).args([
        "log",
        "-1",
        "--format=%ct",
    ]))?;
    process::run(
        process::cargo()
            .current_dir(sources)
            .env("RUSTFLAGS", remap)
            .env("CFLAGS", &c)
            .env("CXXFLAGS", &c)
            .env("SOURCE_DATE_EPOCH", time.trim())
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", &target)
            .args(["build", "--release", "--locked", "--package", "stoad"]),
    )?;
    Ok(target.join("release/stoad"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        assert_eq!(difference(b"stoad", b"stoad"), None);
        assert_eq!(difference(b"stoad", b"stohd"), Some(3));
        assert_eq!(difference(b"stoad", b"stoa"), Some(4));
        assert_eq!(difference(b"", b"x"), Some(0));
    }
}
