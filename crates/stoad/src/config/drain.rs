//! How the node ends.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The longest grace: longer than anybody talks.
const LONGEST: u64 = 24 * 3600;

/// How the node ends.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Drain {
    /// For how long after SIGTERM those who are in a room may go on, while nothing new is taken; up to a day. It ends
    /// sooner when nobody is left, and at once by a second signal. 0: rooms end at once.
    #[serde(
        rename = "grace_seconds",
        deserialize_with = "grace",
        serialize_with = "as_seconds"
    )]
    #[schemars(with = "u64", extend("x-reload" = true))]
    pub(crate) grace: Duration,
}

fn grace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match u64::deserialize(deserializer)? {
        seconds @ 0..=LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err(D::Error::custom(format!("must be at most {LONGEST}"))),
    }
}

fn as_seconds<S: Serializer>(grace: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(grace.as_secs())
}
