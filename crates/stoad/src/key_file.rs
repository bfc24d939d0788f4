//! Files with a key for somebody's calls, alone on the first line.

use std::{fs, path::Path};

use crate::exit::Failure;

/// The key in this file.
///
/// # Errors
/// [`Failure::File`] if it cannot be read or has none.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let wrong = |reason: String| Failure::File {
        path: path.to_owned(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err(wrong("has no key on its first line".to_owned())),
    }
}
