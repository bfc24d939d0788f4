//! The teams that share the node.

use std::{
    collections::{HashMap, HashSet},
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::Path,
};

use serde::{Deserialize, Deserializer, de::Error as _};
use stoa_control::{ApiKeyHash, CertificateHash};
use stoa_core::{PacketQuota, TenantId};
use stoa_token::TokenKey;

use super::{sha256, token_keys::TokenKeyEntry};
use crate::exit::Failure;

/// One of the teams that share the node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenant {
    /// Its name: unique, and the `iss` of its join tokens.
    #[serde(deserialize_with = "name")]
    name: TenantId,
    /// Its callers that show a key.
    #[serde(default)]
    api_keys: Vec<Credential>,
    /// Its callers that show a client certificate.
    #[serde(default)]
    client_certificates: Vec<Credential>,
    /// What its join tokens are checked with.
    #[serde(default)]
    token_keys: Vec<TokenKeyEntry>,
    /// Whether its callers run the node.
    #[serde(default)]
    operator: bool,
    /// How much it may have.
    #[serde(default)]
    quotas: Quotas,
}

/// Something that a caller shows, by its hash.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credential {
    /// What its callers are called in logs, and what separates their `request_id`s from those of others.
    name: String,
    /// SHA-256 of the key, or of the certificate in DER form, as 64 hexadecimal digits; the key itself is in no
    /// file of the daemon's.
    #[serde(deserialize_with = "sha256")]
    sha256: [u8; 32],
}

/// How much a tenant may have. Absent: as much as the node has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Quotas {
    /// Rooms at the same time.
    rooms: Option<usize>,
    /// Participants in all its rooms.
    participants: Option<usize>,
    /// Participants in each of its rooms.
    participants_per_room: Option<NonZeroUsize>,
    /// Joins a second.
    joins_per_second: Option<NonZeroU32>,
    /// Bans that hold at the same time.
    bans: Option<usize>,
    /// Packets that its rooms forward a second.
    packets_per_second: Option<NonZeroU64>,
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
            if let Some(other) = credentials.insert(shown.sha256, place.clone()) {
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
            sha256: key.sha256,
        };
        let certificate = |certificate: &Credential| CertificateHash {
            name: certificate.name.clone(),
            sha256: certificate.sha256,
        };
        let Quotas {
            rooms,
            participants,
            participants_per_room,
            joins_per_second,
            bans,
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
            },
        }
    }
}
