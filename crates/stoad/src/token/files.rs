//! Files with keys in them.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use crate::exit::Failure;

/// A file that is not what it should be.
pub(super) fn wrong(path: &Path, reason: impl ToString) -> Failure {
    Failure::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Writes a key to a new file that its owner alone may read. A file that is there stays as it is: it may
/// be the key that somebody needs.
pub(super) fn write_new_secret(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| wrong(path, error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| wrong(path, error))
}
