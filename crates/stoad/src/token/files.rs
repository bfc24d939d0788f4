//! Files with keys in them.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use zeroize::Zeroizing;

use crate::{exit::Failure, key_file};

/// The longest key file: a key in PEM has some 120 bytes.
const MAX_KEY_FILE_BYTES: u64 = 16 * 1024;

/// A file that is not what it should be.
pub(super) fn wrong(path: &Path, reason: impl ToString) -> Failure {
    Failure::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Reads a key, of which nothing stays in memory.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    key_file::check(path)?;
    let file = File::open(path).map_err(|error| wrong(path, error))?;
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(MAX_KEY_FILE_BYTES + 1).read_to_end(&mut bytes);
    if read.map_err(|error| wrong(path, error))? as u64 > MAX_KEY_FILE_BYTES {
        let reason = format!("is longer than {MAX_KEY_FILE_BYTES} bytes");
        return Err(wrong(path, reason));
    }
    Ok(bytes)
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
