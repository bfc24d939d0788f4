//! What the node may hold.

use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_core::Limits;

/// What the node may hold.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NodeLimits {
    /// Rooms on each worker.
    #[schemars(extend("x-reload" = false))]
    pub(super) rooms_per_worker: NonZeroUsize,
    /// Participants in one room.
    #[schemars(extend("x-reload" = false))]
    pub(super) participants_per_room: NonZeroUsize,
    /// Participants on each worker.
    #[schemars(extend("x-reload" = false))]
    pub(super) participants_per_worker: NonZeroUsize,
    /// How often one person of one tenant may join in a minute; as many may come at once.
    #[schemars(extend("x-reload" = true))]
    pub(super) joins_per_subject_per_minute: NonZeroU32,
    /// How many bad credentials may come from one source (an IPv4 address, or an IPv6 /64) in a minute; those beyond are
    /// answered with RATE_EXCEEDED.
    #[schemars(extend("x-reload" = true))]
    pub(super) refusals_per_source_per_minute: NonZeroU32,
    /// How many connections one source (an IPv4 address, or an IPv6 /64) may have at a time, to the control port and as
    /// many to WHIP. Raise it where all callers come through one address, such as a proxy's.
    #[schemars(extend("x-reload" = true))]
    pub(super) connections_per_source: NonZeroUsize,
}

impl Default for NodeLimits {
    fn default() -> Self {
        let limits = Limits::default();
        let rates = stoa_control::ServiceLimits::default();
        let count = |value| NonZeroUsize::new(value).unwrap_or(NonZeroUsize::MIN);
        let rate = |value| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
        Self {
            rooms_per_worker: count(limits.rooms),
            participants_per_room: count(limits.participants_per_room),
            participants_per_worker: count(limits.participants),
            joins_per_subject_per_minute: rate(rates.joins_per_subject),
            refusals_per_source_per_minute: rate(rates.refusals_per_source),
            connections_per_source: count(rates.connections_per_source),
        }
    }
}
