//! What `fuzz/` needs: configurations are read without a file. No part of an interface; why it has no feature of its
//! own stands in `stoa-core/src/fuzz.rs`.

use std::ffi::OsString;

use crate::config;

/// Reads a configuration, and tells what `stoad config print` shows of it.
///
/// # Errors
/// What whoever has written it is told.
pub fn configuration(text: &str) -> Result<String, String> {
    config::fuzz::read(text)
}

/// The text with what these variables of the environment say in its place.
///
/// # Errors
/// What whoever has set them is told.
pub fn with_environment(text: &str, variables: &[(OsString, OsString)]) -> Result<String, String> {
    config::fuzz::with_environment(text, variables)
}
