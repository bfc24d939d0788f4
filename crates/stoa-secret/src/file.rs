//! Files with secrets in them: private keys, secrets of tokens, keys for somebody's calls.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    str,
};

use zeroize::Zeroizing;

/// The longest file that is read, in bytes. A private key of RSA with its certificates has less than a quarter.
pub const MAX_BYTES: usize = 64 * 1024;

/// What everybody on the machine may do, in a file's mode.
const EVERYBODY: u32 = 0o007;

/// A secret that cannot be used, and the file where it should be.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct SecretFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: SecretFileProblem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileProblem {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// Everybody on the machine may read or change it, by this mode.
    #[error("is a secret that everybody may read (mode {0:o}): `chmod o= FILE`")]
    Open(u32),
    /// It is longer than [`MAX_BYTES`].
    #[error("is longer than {MAX_BYTES} bytes")]
    Long,
    /// There is nothing on its first line, or no text.
    #[error("has no key on its first line")]
    NoKey,
}

/// All of a secret's file, which is cleared when it is dropped.
///
/// A file that everybody may read or change is refused. A group may: that is how a secret is given to a daemon that does
/// not own it (Kubernetes' `fsGroup`, which makes secrets 0440, or `chgrp stoad`).
///
/// # Errors
/// [`SecretFileError`].
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    read_checked(path).map_err(|problem| wrong(path, problem))
}

/// The key that stands alone on a file's first line. The file has to be as for [`read`].
///
/// # Errors
/// [`SecretFileError`].
pub fn read_first_line(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    let bytes = read(path)?;
    let text = str::from_utf8(&bytes).unwrap_or_default();
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(Zeroizing::new(key.to_owned())),
        _ => Err(wrong(path, SecretFileProblem::NoKey)),
    }
}

fn read_checked(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileProblem> {
    let file = File::open(path).map_err(SecretFileProblem::Unreadable)?;
    // Of what is open: another file may be put in its place meanwhile.
    let status = file.metadata().map_err(SecretFileProblem::Unreadable)?;
    let mode = status.permissions().mode();
    // What is no file, such as a pipe of a shell, has no mode that says anything.
    if status.is_file() && mode & EVERYBODY != 0 {
        return Err(SecretFileProblem::Open(mode & 0o777));
    }
    // Room for all from the start: a buffer that grows leaves what was in it behind.
    let most = MAX_BYTES + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 64));
    let read = file.take(most as u64).read_to_end(&mut bytes);
    if read.map_err(SecretFileProblem::Unreadable)? > MAX_BYTES {
        return Err(SecretFileProblem::Long);
    }
    Ok(bytes)
}

fn wrong(path: &Path, problem: SecretFileProblem) -> SecretFileError {
    SecretFileError {
        path: path.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    fn file(text: &[u8], mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), text).expect("it is ours");
        fs::set_permissions(file.path(), Permissions::from_mode(mode)).expect("it is ours");
        file
    }

    #[test]
    fn what_everybody_may_read_or_change_is_refused_and_a_group_may_read() {
        for mode in [0o400, 0o600, 0o440, 0o640] {
            let file = file(b"key\n", mode);
            let key = read_first_line(file.path()).expect("it may be used");
            assert_eq!(*key, "key", "{mode:o}");
        }
        for mode in [0o604, 0o644, 0o602, 0o601] {
            let file = file(b"key\n", mode);
            let error = read(file.path()).expect_err("everybody may");
            assert!(matches!(error.problem, SecretFileProblem::Open(of) if of == mode));
            assert!(
                error.to_string().contains(&format!("mode {mode:o}")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_first_line_is_the_key() {
        for text in [&b"key"[..], b" key \r\nmore\n"] {
            let file = file(text, 0o600);
            assert_eq!(*read_first_line(file.path()).expect("a key"), "key");
        }
        for text in [&b""[..], b"\nkey\n", b" \n", b"\xff\n"] {
            let file = file(text, 0o600);
            let error = read_first_line(file.path()).expect_err("there is none");
            assert!(matches!(error.problem, SecretFileProblem::NoKey), "{error}");
        }
    }

    #[test]
    fn nothing_is_read_without_end_and_nothing_is_copied_meanwhile() {
        let longest = file(&vec![b'x'; MAX_BYTES], 0o600);
        let bytes = read(longest.path()).expect("it is not too long");
        assert_eq!(bytes.len(), MAX_BYTES);
        // The buffer is the one of the beginning.
        assert_eq!(bytes.capacity(), MAX_BYTES + 65);
        let longer = file(&vec![b'x'; MAX_BYTES + 1], 0o600);
        let error = read(longer.path()).expect_err("it is too long");
        assert!(matches!(error.problem, SecretFileProblem::Long), "{error}");
        let endless = read(Path::new("/dev/zero")).expect_err("it has no end");
        assert!(
            matches!(endless.problem, SecretFileProblem::Long),
            "{endless}"
        );
    }
}
