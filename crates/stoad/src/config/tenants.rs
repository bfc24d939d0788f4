//! The teams that share the node.

use std::{
    collections::{HashMap, HashSet},
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::Path,
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use stoa_control::{ApiKeyHash, CertificateHash};
use stoa_core::{PacketQuota, TenantId};
use stoa_token::TokenKey;

use super::{sha256::Sha256Hash, token_keys::TokenKeyEntry};
use crate::exit::Failure;

/// One of the teams that share the node.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenant {
    /// The tenant's name, in the form of all identifiers: unique, and never shown to another tenant.
    #[serde(deserialize_with = "name", serialize_with = "as_text")]
    #[schemars(with = "String", extend("x-reload" = true))]
    name: TenantId,
    /// Callers that send `authorization: Bearer KEY`. The file has the SHA-256 of the key only: `printf %s "$KEY" |
    /// sha256sum`. Keys should be long and random.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    api_keys: Vec<Credential>,
    /// Callers that show this certificate. `openssl x509 -in client.pem -outform DER | sha256sum`.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    client_certificates: Vec<Credential>,
    /// What its join tokens are checked with: [tokens.md](tokens.md). Several may be live at a time.
    #[serde(default)]
    #[schemars(extend("x-reload" = true, "x-default" = "none: it has no join tokens"))]
    pub(super) token_keys: Vec<TokenKeyEntry>,
    /// Whether its callers run the node: `Node.GetStatus` shows them the whole node instead of what is their own.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    operator: bool,
    /// How much it may have.
    #[serde(default)]
    quotas: Quotas,
}

/// Something that a caller shows, by its hash.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credential {
    /// What its callers are called in the log, and what separates their `request_id`s from those of others: a credential
    /// that replaces another should have its name.
    #[schemars(extend("x-reload" = true))]
    name: String,
    /// SHA-256 of the key, or of the certificate in DER form, as 64 hexadecimal digits; the key itself is in no
    /// file of the daemon's.
    #[schemars(extend("x-reload" = true))]
    sha256: Sha256Hash,
}

/// How much a tenant may have. Absent: as much as the node has.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Quotas {
    /// Rooms at the same time.
    #[schemars(extend("x-reload" = true, "x-default" = "as many as the node has"))]
    rooms: Option<usize>,
    /// Participants in all its rooms together.
    #[schemars(extend("x-reload" = true, "x-default" = "as many as the node has"))]
    participants: Option<usize>,
    /// Participants in each of its rooms.
    #[schemars(extend("x-reload" = true, "x-default" = "as many as the node has"))]
    participants_per_room: Option<NonZeroUsize>,
    /// Joins a second, resumed sessions included; as many may come at once.
    #[schemars(extend("x-reload" = true, "x-default" = "no limit"))]
    joins_per_second: Option<NonZeroU32>,
    /// Bans that it may have at the same time.
    #[schemars(extend("x-reload" = true, "x-default" = "10000"))]
    bans: Option<usize>,
    /// Connections to the control port at the same time on which its callers, or people with its join tokens, have shown
    /// a credential. Where there are several tenants, none may have more than are left for the others in any case.
    #[schemars(extend("x-reload" = true, "x-default" = "as many as are left for the others"))]
    connections: Option<NonZeroUsize>,
    /// Packets that all its rooms together forward a second: each listener's copy is one, so one voice and 100 listeners
    /// take 5,000. A fifth of a second's may go at once. What is beyond is heard by nobody, and counted
    /// (`packets_over_quota`, one for each listener); the log names the tenant. How the workers share it:
    /// [adr/0016](adr/0016-a-tenants-packets-are-counted-at-home-and-shared-by-demand.md).
    #[schemars(extend("x-reload" = true, "x-default" = "no limit"))]
    packets_per_second: Option<NonZeroU64>,
}

fn as_text<S: Serializer>(name: &TenantId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TenantId, D::Error> {
    let text = String::deserialize(deserializer)?;
    TenantId::new(&text).map_err(|error| D::Error::custom(format!("tenant {text:?} {error}")))
}

/// Checks what no tenant can know by itself.
///
/// # Errors
/// What is wrong.
pub(super) fn check(tenants: &[Tenant]) -> Result<(), String> {
    let mut names = HashSet::new();
    let mut credentials = HashMap::new();
    for tenant in tenants {
        if !names.insert(&tenant.name) {
            return Err(format!("{} is there twice", tenant.name));
        }
        for shown in tenant.api_keys.iter().chain(&tenant.client_certificates) {
            let place = format!("{}/{}", tenant.name, shown.name);
            if let Some(other) = credentials.insert(shown.sha256.0, place.clone()) {
                return Err(format!("{other} and {place} have the same sha256"));
            }
        }
    }
    if credentials.is_empty() {
        return Err("without api_keys and client_certificates nobody could call".to_owned());
    }
    Ok(())
}

impl Tenant {
    /// Its name.
    pub(super) fn id(&self) -> TenantId {
        self.name.clone()
    }

    /// Whether a caller can prove to be of it by a client certificate.
    pub(super) fn has_certificates(&self) -> bool {
        !self.client_certificates.is_empty()
    }

    /// Relative paths are meant from the folder of the configuration file.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        for key in &mut self.token_keys {
            key.resolve_paths(folder);
        }
    }

    /// Its token keys.
    ///
    /// # Errors
    /// [`Failure::Config`], [`Failure::File`].
    pub(super) fn token_keys(&self) -> Result<Vec<TokenKey>, Failure> {
        let keys = self.token_keys.iter();
        keys.map(|key| key.key(&self.name)).collect()
    }

    /// What the media workers are told of it, if that is anything.
    pub(super) fn packet_quota(&self) -> Option<PacketQuota> {
        let packets_per_second = self.quotas.packets_per_second?.get();
        Some(PacketQuota {
            tenant: self.name.clone(),
            packets_per_second,
        })
    }

    /// What the control server is told of it.
    pub(super) fn control(&self) -> stoa_control::Tenant {
        let key = |key: &Credential| ApiKeyHash {
            name: key.name.clone(),
            sha256: key.sha256.0,
        };
        let certificate = |certificate: &Credential| CertificateHash {
            name: certificate.name.clone(),
            sha256: certificate.sha256.0,
        };
        let Quotas {
            rooms,
            participants,
            participants_per_room,
            joins_per_second,
            bans,
            connections,
            packets_per_second: _,
        } = self.quotas;
        stoa_control::Tenant {
            id: self.name.clone(),
            api_keys: self.api_keys.iter().map(key).collect(),
            certificates: self.client_certificates.iter().map(certificate).collect(),
            is_operator: self.operator,
            quotas: stoa_control::Quotas {
                rooms,
                participants,
                participants_per_room: participants_per_room.map(NonZeroUsize::get),
                joins_per_second: joins_per_second.map(NonZeroU32::get),
                bans: bans.unwrap_or(stoa_control::Quotas::default().bans),
                connections: connections.map(NonZeroUsize::get),
            },
        }
    }
}
