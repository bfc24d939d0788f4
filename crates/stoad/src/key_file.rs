//! Files with secrets in them: private keys, secrets of tokens, keys for somebody's calls.

use std::{fs, fs::File, os::unix::fs::PermissionsExt as _, path::Path};

use zeroize::Zeroizing;

use crate::exit::Failure;

/// What everybody on the machine may do, in a file's mode.
const EVERYBODY: u32 = 0o007;

fn wrong(path: &Path, reason: impl ToString) -> Failure {
    Failure::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Refuses a secret that everybody on the machine may read or change. A group may: that is how a secret is given to
/// a daemon that does not own it (Kubernetes' `fsGroup`, or `chgrp stoad`).
///
/// # Errors
/// [`Failure::File`] says what to do.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| wrong(path, error))?;
    let status = file.metadata().map_err(|error| wrong(path, error))?;
    let mode = status.permissions().mode();
    // What is no file, such as a pipe of a shell, has no mode that says anything.
    if status.is_file() && mode & EVERYBODY != 0 {
        let mode = mode & 0o777;
        let reason =
            format!("is a secret that everybody may read (mode {mode:o}): `chmod o= FILE`");
        return Err(wrong(path, reason));
    }
    Ok(())
}

/// The key that stands alone on this file's first line.
///
/// # Errors
/// [`Failure::File`] if it cannot be read, has none, or is for everybody to read.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    check(path)?;
    let text = fs::read_to_string(path).map_err(|error| wrong(path, error))?;
    let text = Zeroizing::new(text);
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err(wrong(path, "has no key on its first line")),
    }
}
