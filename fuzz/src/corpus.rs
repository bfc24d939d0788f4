//! The inputs that are kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder with a target's inputs.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// A target's inputs with their names, in the order of these.
///
/// # Errors
/// That of the file system.
pub fn read(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder(target))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        inputs.push((name.to_string_lossy().into_owned(), fs::read(&path)?));
    }
    inputs.sort();
    Ok(inputs)
}
