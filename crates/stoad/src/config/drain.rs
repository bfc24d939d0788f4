//! How the node ends.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

/// The longest grace: longer than anybody talks.
const LONGEST: u64 = 24 * 3600;

/// How the node ends.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Drain {
    /// For how many seconds after SIGTERM those who are in a room may go on, while nothing new is taken; it ends
    /// sooner when nobody is left. 0: rooms end at once.
    #[serde(rename = "grace_seconds", deserialize_with = "grace")]
    pub(crate) grace: Duration,
}

fn grace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match u64::deserialize(deserializer)? {
        seconds @ 0..=LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err(D::Error::custom(format!("must be at most {LONGEST}"))),
    }
}
