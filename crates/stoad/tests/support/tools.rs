//! What the tests need beyond Rust. `cargo xtask setup` installs it, and `cargo xtask env` prints
//! the variables that name it; without them, the places are those where `setup` puts things.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The Python interpreter that has the packages of requirements.txt.
pub(super) fn python() -> PathBuf {
    given("STOA_TEST_PYTHON", installed("python/bin/python"))
}

/// The folder that has puppeteer-core and axe-core.
pub(super) fn node_modules() -> PathBuf {
    given("STOA_TEST_NODE_MODULES", installed("browser/node_modules"))
}

/// The folder that has what the example in TypeScript needs.
pub(super) fn typescript_modules() -> PathBuf {
    given(
        "STOA_TEST_TYPESCRIPT_MODULES",
        installed("typescript/node_modules"),
    )
}

/// The Chromium to drive.
pub(super) fn chromium() -> PathBuf {
    given("STOA_TEST_CHROMIUM", in_path("chromium"))
}

/// The Firefox to drive.
pub(super) fn firefox() -> PathBuf {
    given(
        "STOA_TEST_FIREFOX",
        in_path("firefox-esr").or_else(|| in_path("firefox")),
    )
}

/// Runs the browser scripts.
pub(super) fn node() -> PathBuf {
    in_path("node").unwrap_or_else(|| missing("node"))
}

/// Linux as a program.
pub(super) fn user_mode_linux() -> PathBuf {
    in_path("linux.uml").unwrap_or_else(|| missing("linux.uml"))
}

fn given(variable: &str, otherwise: Option<PathBuf>) -> PathBuf {
    let set = env::var_os(variable).filter(|value: &OsString| !value.is_empty());
    let path = set.map(PathBuf::from).or(otherwise);
    path.filter(|path| path.exists())
        .unwrap_or_else(|| missing(variable))
}

fn missing(what: &str) -> ! {
    panic!("{what} is not there: run `cargo xtask setup` (and see `cargo xtask env`)")
}

/// In the target folder, beside cargo's own folder for tests.
fn installed(path: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    Some(target.join("tools").join(path))
}

fn in_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
