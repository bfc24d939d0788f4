//! The port for whoever runs the node.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_core::TenantId;
use stoa_ops::{OpsConfig, OpsKey};

use super::sha256::Sha256Hash;

/// The port for whoever runs the node: [operations.md](operations.md).
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Ops {
    /// A list of `ADDRESS:PORT`, for plain HTTP. It shows what the node does, so a private address.
    #[schemars(extend("x-reload" = false, "x-default" = "none: there is no ops port"))]
    pub(super) listen: Vec<SocketAddr>,
    /// SHA-256 of the key for `/drain`, `/undrain` and `/debug/rooms`: `printf %s "$KEY" | sha256sum`.
    #[schemars(extend("x-reload" = true, "x-default" = "none: nobody may"))]
    key_sha256: Option<Sha256Hash>,
}

impl Ops {
    pub(super) fn config(&self, tenants: Vec<TenantId>) -> OpsConfig {
        OpsConfig {
            listen: self.listen.clone(),
            key: self.key_sha256.map(|Sha256Hash(sha256)| OpsKey { sha256 }),
            tenants,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
