//! Installs what the tests need beyond Rust: only what is missing, and it says what and why first.
//!
//! From Debian's packages come programs; from PyPI, npm and crates.io come packages at the exact
//! versions written down in this repository, into the target folder. Nothing is installed into the
//! source tree or the user's home, and nothing comes from anywhere else.

mod debian;
mod npm;
mod python;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::environment::Tools;
use crate::process;
use crate::report::{Failure, Outcome, Verdict};
use crate::{deny, workspace};

/// Installs what is missing, then shows that each tool starts.
pub(crate) fn step() -> Outcome {
    let workspace = workspace::read()?;
    let tools = Tools::below(&workspace.target);
    debian::install()?;
    python::install(&workspace.root, &tools)?;
    npm::install(&workspace.root, &tools)?;
    cargo_deny(&tools)?;
    debian::verify(&tools)?;
    python::verify(&tools)?;
    npm::verify(&tools)?;
    Ok(Verdict::Passed)
}

/// Says what is about to be installed.
fn announce(what: &str, from: &str, why: &str) {
    println!("installing {what} from {from}: {why}");
}

/// Built without optimisation: it runs for seconds, and so it is built in one minute, not in five.
fn cargo_deny(tools: &Tools) -> Result<(), Failure> {
    // A Command keeps its redirections, so each question is one of its own.
    let version = || {
        let mut command = Command::new(tools.cargo_deny());
        command.arg("--version");
        command
    };
    let wanted = format!("cargo-deny {}", deny::VERSION);
    if process::succeeds(&mut version()) && process::capture(&mut version())?.trim() == wanted {
        return Ok(());
    }
    announce(
        "cargo-deny",
        "crates.io",
        "checks licences, sources and known vulnerabilities of the dependencies",
    );
    let exact = format!("={}", deny::VERSION);
    process::run(
        process::cargo()
            .args([
                "install",
                "cargo-deny",
                "--quiet",
                "--locked",
                "--debug",
                "--force",
            ])
            .args(["--version", &exact, "--root"])
            .arg(tools.cargo_folder()),
    )
}

/// Whether `stamp` is a copy of `wanted`: the install that it closed is the one asked for.
fn is_current(stamp: &Path, wanted: &Path) -> Result<bool, Failure> {
    let wanted = read(wanted)?;
    Ok(fs::read(stamp).is_ok_and(|installed| installed == wanted))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::new(format!("{} cannot be read: {error}", path.display()));
    fs::read(path).map_err(failed)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{} cannot be written: {error}", to.display()));
    fs::copy(from, to).map(|_| ()).map_err(failed)
}

/// An empty folder at `path`, whatever was there before.
fn fresh_folder(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{} cannot be made: {error}", path.display()));
    if path.exists() {
        fs::remove_dir_all(path).map_err(failed)?;
    }
    fs::create_dir_all(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_install_is_current_only_with_the_same_list() {
        let folder = std::env::temp_dir().join(format!("stoa-setup-{}", std::process::id()));
        fresh_folder(&folder).expect("a folder for the test");
        let (stamp, wanted) = (folder.join("stamp"), folder.join("wanted"));
        fs::write(&wanted, "a==1\n").expect("a file for the test");
        assert!(!is_current(&stamp, &wanted).expect("the list is there"));
        copy(&wanted, &stamp).expect("a copy");
        assert!(is_current(&stamp, &wanted).expect("the list is there"));
        fs::write(&wanted, "a==2\n").expect("a file for the test");
        assert!(!is_current(&stamp, &wanted).expect("the list is there"));
        fs::remove_dir_all(&folder).expect("the folder can go again");
        assert!(is_current(&stamp, &wanted).is_err());
    }
}
