//! cargo-deny: what the dependencies may be (deny.toml says which and why).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::environment::Tools;
use crate::process::{self, Bounded};
use crate::report::{Failure, Outcome, Verdict};
use crate::workspace;

/// The version that `setup` installs.
pub(crate) const VERSION: &str = "0.20.2";

/// How long fetching the advisory database may take; it is some megabytes.
const FETCH_LIMIT: Duration = Duration::from_secs(60);

/// Licences, bans and sources: needs no network.
pub(crate) fn step() -> Outcome {
    let (root, tools) = installed()?;
    process::run(
        cargo_deny(&root, &tools).args(["--locked", "check", "licenses", "bans", "sources"]),
    )?;
    Ok(Verdict::Passed)
}

/// Known vulnerabilities: needs the RustSec database, which is neither on crates.io nor in any
/// other registry. Where it cannot be had the step is skipped, loudly, and never passed; with
/// `required` that is a failure.
pub(crate) fn advisories(required: bool) -> Outcome {
    let (root, tools) = installed()?;
    // git must not wait for somebody to type a password.
    let mut fetch = cargo_deny(&root, &tools);
    fetch.args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0");
    let fetched = match process::run_within(&mut fetch, FETCH_LIMIT)? {
        Bounded::Ended(status) => status.success(),
        Bounded::OutOfTime => {
            println!("not fetched within {} seconds", FETCH_LIMIT.as_secs());
            false
        }
    };
    let check = ["--locked", "check", "--disable-fetch", "advisories"];
    if fetched {
        process::run(cargo_deny(&root, &tools).args(check))?;
        return Ok(Verdict::Passed);
    }
    if database_present() {
        println!("the advisory database is out of reach; using the copy that is here");
        process::run(cargo_deny(&root, &tools).args(check))?;
        return Ok(Verdict::Passed);
    }
    out_of_reach(required)
}

fn out_of_reach(required: bool) -> Outcome {
    let why = "advisory database out of reach";
    if required {
        return Err(Failure::new(format!(
            "{why}, and --require-advisories was given"
        )));
    }
    println!();
    println!("********************************************************************");
    println!("* NOT CHECKED: known vulnerabilities of the dependencies.");
    println!("* The RustSec advisory database could not be fetched from here.");
    println!("* Run `cargo xtask advisories` on a machine that reaches it.");
    println!("********************************************************************");
    Ok(Verdict::Skipped(why.to_owned()))
}

/// Whether cargo-deny has fetched a database before, into its default place.
fn database_present() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    home.is_some_and(|home| holds_database(&home.join("advisory-dbs")))
}

/// A clone that broke off leaves a folder without advisories.
fn holds_database(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|clone| clone.join("crates").is_dir() || clone.join("rust").is_dir())
}

fn installed() -> Result<(std::path::PathBuf, Tools), Failure> {
    let workspace = workspace::read()?;
    let tools = Tools::below(&workspace.target);
    if tools.cargo_deny().is_file() {
        Ok((workspace.root, tools))
    } else {
        Err(Failure::new(
            "cargo-deny is not installed: run cargo xtask setup",
        ))
    }
}

fn cargo_deny(root: &Path, tools: &Tools) -> Command {
    let mut command = Command::new(tools.cargo_deny());
    command.current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_database_the_step_never_passes() {
        assert!(matches!(out_of_reach(false), Ok(Verdict::Skipped(_))));
        assert!(out_of_reach(true).is_err());
    }

    #[test]
    fn a_clone_that_broke_off_is_no_database() {
        let folder = std::env::temp_dir().join(format!("stoa-deny-{}", std::process::id()));
        assert!(!holds_database(&folder));
        let clone = folder.join("advisory-db-1");
        std::fs::create_dir_all(&clone).expect("a folder for the test");
        assert!(!holds_database(&folder));
        std::fs::create_dir_all(clone.join("crates")).expect("a folder for the test");
        assert!(holds_database(&folder));
        std::fs::remove_dir_all(&folder).expect("the folder can go again");
    }
}
