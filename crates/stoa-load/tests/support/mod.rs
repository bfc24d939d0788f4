//! What the tests of the load tester have in common: a real node in this process, and the tester as another one.

#![allow(
    dead_code,
    reason = "each test is a binary of its own and uses a part of this"
)]
#![allow(
    unused_imports,
    reason = "each test is a binary of its own and uses a part of this"
)]

pub(crate) mod agent;
mod lossy;
#[path = "../../../stoad/src/media.rs"]
mod media;
mod node;
mod tester;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

pub(crate) use agent::Agent;
pub(crate) use lossy::Lossy;
pub(crate) use node::{Node, Settings};
pub(crate) use tester::{Tester, ended, failed, scenario};

/// Writes a file that nobody else may read.
fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the folder is ours");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
}
