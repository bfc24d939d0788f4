//! The port for whoever runs the node.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer};
use stoa_core::TenantId;
use stoa_ops::{OpsConfig, OpsKey};

use super::sha256;

/// The port for whoever runs the node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Ops {
    /// Where to listen, for plain HTTP: a private address. Empty: nowhere.
    listen: Vec<SocketAddr>,
    /// SHA-256 of the key for `/drain`, `/undrain` and `/debug`, as 64 hexadecimal digits. Absent: nobody may.
    #[serde(deserialize_with = "key")]
    key_sha256: Option<OpsKey>,
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OpsKey>, D::Error> {
    sha256(deserializer).map(|sha256| Some(OpsKey { sha256 }))
}

impl Ops {
    pub(super) fn config(&self, tenants: Vec<TenantId>) -> OpsConfig {
        OpsConfig {
            listen: self.listen.clone(),
            key: self.key_sha256,
            tenants,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
