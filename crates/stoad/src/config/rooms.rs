//! What rooms are unless their creators say otherwise.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use stoa_core::{RoomTimeout, limits::MAX_ROOM_TIMEOUT};

/// What rooms are unless their creators say otherwise; rooms that are there keep what they have.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rooms {
    /// A room is closed when nobody has been in it for so long, up to 7 days; 0: it stays. Whoever is reconnecting is in
    /// it. Set it where rooms are created for each occasion and nobody closes them.
    #[serde(deserialize_with = "room_timeout", serialize_with = "as_seconds")]
    #[schemars(with = "u64", extend("x-reload" = true))]
    pub(super) empty_timeout_seconds: Option<RoomTimeout>,
    /// A room is closed when nobody has been heard in it for so long, whoever is in it, up to 7 days; 0: it stays. Set
    /// it where people forget to leave.
    #[serde(deserialize_with = "room_timeout", serialize_with = "as_seconds")]
    #[schemars(with = "u64", extend("x-reload" = true))]
    pub(super) idle_timeout_seconds: Option<RoomTimeout>,
}

fn room_timeout<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RoomTimeout>, D::Error> {
    let seconds = u64::deserialize(deserializer)?;
    if seconds == 0 {
        return Ok(None);
    }
    let longest = MAX_ROOM_TIMEOUT.as_secs();
    let wrong = || D::Error::custom(format!("must be 0, or 1 to {longest} seconds"));
    let timeout = RoomTimeout::new(Duration::from_secs(seconds));
    timeout.map(Some).ok_or_else(wrong)
}

fn as_seconds<S: Serializer>(
    timeout: &Option<RoomTimeout>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(timeout.map_or(0, |timeout| timeout.duration().as_secs()))
}
