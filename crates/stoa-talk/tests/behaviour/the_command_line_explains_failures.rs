//! What is wrong with how the program is started is said, and it does not start.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A file that nobody else may read.
fn secret(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).expect("the folder is ours");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
    path.to_owned()
}

/// The program with these arguments and what every start needs; nothing of the environment.
fn start(folder: &Path, arguments: &[&str]) -> Output {
    let file = |name: &str, text: &str| secret(&folder.join(name), text);
    Command::new(env!("CARGO_BIN_EXE_stoa-talk"))
        .env_clear()
        .args([
            "--listen",
            "127.0.0.1:0",
            "--stoa",
            "https://127.0.0.1:9",
            "--ca",
        ])
        .arg(file("ca.pem", ""))
        .arg("--api-key-file")
        .arg(file("api-key", "a-key"))
        .args(arguments)
        .output()
        .expect("the program is there")
}

#[test]
fn a_closed_service_needs_an_administrator() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = start(folder.path(), &["--closed"]);
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("--admin-key-file"), "{said}");
}

#[test]
fn an_administrator_s_key_that_can_be_guessed_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = secret(&folder.path().join("admin-key"), "open-sesame\n");
    let name = path.display().to_string();
    let ended = start(folder.path(), &["--closed", "--admin-key-file", &name]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains(&name) && said.contains("22 to 128"), "{said}");
    assert!(!said.contains("open-sesame"), "{said}");
}

#[test]
fn a_key_that_everybody_may_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = secret(
        &folder.path().join("admin-key"),
        "a key for tests, and long enough\n",
    );
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("the file is ours");
    let name = path.display().to_string();
    let ended = start(folder.path(), &["--admin-key-file", &name]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    let why = format!("{name}: is a secret that everybody may read (mode 644)");
    assert!(said.contains(&why), "{said}");
}
