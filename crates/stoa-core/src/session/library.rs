//! The cryptography of sessions, before anything of it is replaced.

use str0m::crypto::CryptoProvider;

/// What str0m uses if it is told nothing: the process's default, or else that of its feature flags.
pub(super) fn usual() -> CryptoProvider {
    let default = CryptoProvider::get_default().cloned();
    default.unwrap_or_else(str0m::crypto::from_feature_flags)
}
