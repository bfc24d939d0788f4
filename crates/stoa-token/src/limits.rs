//! How long a token may be, how long it may be good, and how many are remembered.

use std::time::Duration;

/// The longest token, in bytes. A full one has about 700.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// By how much the clocks of a signalling service and a node may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// The longest time from `iat` to `exp`. A token is for entering, not for staying: whoever is in stays in
/// when it expires.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);

/// How many used tokens are remembered for a tenant, each until it expires: about 18 in every second of
/// an hour, some 200 bytes each. A tenant cannot fill another's share.
pub const ONCE_TOKENS_PER_TENANT: usize = 65_536;
