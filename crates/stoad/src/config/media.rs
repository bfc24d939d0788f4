//! The media ports in the configuration.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroUsize,
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use stoa_net::Advertised;

/// The media ports.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Media {
    /// Addresses to bind, at most one for each IP version. `0.0.0.0` and `::` mean all.
    #[serde(default = "all_addresses")]
    #[schemars(extend("x-reload" = false))]
    pub(super) bind: Vec<IpAddr>,
    /// Port of the first worker; each further one has the next. 0 picks free ports.
    #[schemars(extend("x-reload" = false))]
    pub(super) port: u16,
    /// Media workers, 1 to 64. Beside them there is a lobby thread for every two, which answers offers and shakes hands
    /// at a lower priority.
    #[serde(default)]
    #[schemars(extend("x-reload" = false, "x-default" = "the number of cores this process may use"))]
    pub(super) workers: Option<NonZeroUsize>,
    /// Where clients reach the first worker: `ADDRESS`, or `ADDRESS:PORT` where a NAT maps the port too (each further
    /// worker has the next port). Needed where `bind` is a wildcard.
    #[serde(default, deserialize_with = "advertised", serialize_with = "as_texts")]
    #[schemars(with = "Vec<String>", extend("x-reload" = false, "x-default" = "the bound addresses"))]
    pub(super) advertise: Vec<Advertised>,
    /// Whether clients whose networks block UDP may come by TCP (RFC 6544), to the same port numbers: the firewall has
    /// to let both in. `false` where only UDP is let in, so that clients do not try what cannot work. For networks that
    /// let nothing but TLS out: [turn.md](turn.md).
    #[serde(default = "yes")]
    #[schemars(extend("x-reload" = false))]
    pub(super) tcp: bool,
    /// How long nothing authentic may come from a participant before nothing is sent to them any more, and others see
    /// them reconnecting. Browsers check every 5 s or less.
    #[serde(default = "default_timeout")]
    #[schemars(extend("x-reload" = false))]
    pub(super) ice_timeout_seconds: NonZeroUsize,
    /// How long after that they may come back as who they are, by themselves, by an ICE restart or with their resume
    /// token; then they are gone. 0: they are gone at once. Longer where people go through tunnels; whoever only closed
    /// the lid is shown as reconnecting for as long.
    #[serde(default = "default_resume")]
    #[schemars(extend("x-reload" = false))]
    pub(super) resume_seconds: u32,
    /// How long ICE and DTLS may take after Join.
    #[serde(default = "default_timeout")]
    #[schemars(extend("x-reload" = false))]
    pub(super) connect_timeout_seconds: NonZeroUsize,
    /// How packets for listeners are written and encrypted: `direct`, once for all and sealed for each; or `reference`,
    /// by each listener's own session, several times as expensive and there to compare with.
    #[serde(default)]
    #[schemars(extend("x-reload" = false))]
    pub(super) egress: Egress,
}

/// How packets for listeners are written and encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Egress {
    /// Written once, sealed for each.
    #[default]
    Direct,
    /// By each listener's own session: to compare with.
    Reference,
}

pub(super) fn all_addresses() -> Vec<IpAddr> {
    vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
}

fn yes() -> bool {
    true
}

fn default_resume() -> u32 {
    30
}

fn default_timeout() -> NonZeroUsize {
    const FIFTEEN: NonZeroUsize = NonZeroUsize::new(15).expect("15 is not 0");
    FIFTEEN
}

fn advertised<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Advertised>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom))
        .collect()
}

fn as_texts<S: Serializer>(addresses: &[Advertised], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(addresses.iter().map(ToString::to_string))
}
