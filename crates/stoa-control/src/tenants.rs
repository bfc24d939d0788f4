//! The tenants of a node: who they are, how their callers prove it, and how much they may have.

use sha2::{Digest as _, Sha256};
use stoa_api::v1::ErrorReason;
use stoa_core::TenantId;

use crate::errors::Failure;

/// An API key, known by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyHash {
    /// What the key is called in logs, and what separates its callers' `request_id`s from those of
    /// others.
    pub name: String,
    /// The SHA-256 of the key. Keys are random and long, so a plain hash is enough.
    pub sha256: [u8; 32],
}

impl ApiKeyHash {
    /// The hash of a key that is known.
    pub fn of(name: impl Into<String>, key: &str) -> Self {
        Self {
            name: name.into(),
            sha256: Sha256::digest(key.as_bytes()).into(),
        }
    }
}

/// A client certificate, known by its hash. The node's authority has to vouch for it as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateHash {
    /// What it is called in logs, and what separates its callers' `request_id`s from those of others. One
    /// that replaces another should have the same name.
    pub name: String,
    /// The SHA-256 of its DER form.
    pub sha256: [u8; 32],
}

impl CertificateHash {
    /// The hash of a certificate that is known, in its DER form.
    pub fn of(name: impl Into<String>, der: &[u8]) -> Self {
        Self {
            name: name.into(),
            sha256: Sha256::digest(der).into(),
        }
    }
}

/// One of the teams that share the node.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// The API keys of its callers, by their hashes.
    pub api_keys: Vec<ApiKeyHash>,
    /// The client certificates of its callers, by their hashes. One that the node's authority vouches for and
    /// that is nobody's is refused.
    pub certificates: Vec<CertificateHash>,
    /// Whether its callers run the node: GetStatus shows them the whole node instead of what is their own.
    pub is_operator: bool,
    /// How much it may have.
    pub quotas: Quotas,
}

impl Tenant {
    /// A tenant that nobody can speak for yet, without quotas.
    pub fn new(id: TenantId) -> Self {
        Self {
            id,
            api_keys: Vec::new(),
            certificates: Vec::new(),
            is_operator: false,
            quotas: Quotas::default(),
        }
    }
}

/// How much a tenant may have. `None`: as much as the node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// Rooms at the same time.
    pub rooms: Option<usize>,
    /// Participants in all its rooms.
    pub participants: Option<usize>,
    /// Participants in each of its rooms.
    pub participants_per_room: Option<usize>,
    /// Joins a second, resumed sessions included. As many may come at once.
    pub joins_per_second: Option<u32>,
    /// Bans that it may make.
    pub bans: usize,
    /// Connections to the control API at the same time on which its callers have shown a credential. Where there are
    /// several tenants, none may have more than are left for the others, with or without this.
    pub connections: Option<usize>,
}

/// Whether a tenant that has `own` of the `taken` places that all of `tenants` share may have one more of `limit`.
/// Where there are several, none may have more than are left for the others (dynamic thresholds, Choudhury and
/// Hahne 1998).
pub(crate) fn may_take(limit: usize, taken: usize, own: usize, tenants: usize) -> bool {
    let free = limit.saturating_sub(taken);
    free > 0 && (tenants <= 1 || own < free)
}

/// Whether one more of what a tenant has `there` fits into its quota.
///
/// # Errors
/// QUOTA_REACHED.
pub(crate) fn within(quota: &'static str, limit: usize, there: usize) -> Result<(), Failure> {
    if there < limit {
        return Ok(());
    }
    let message = format!("the tenant has {there} {quota}, the most that it may");
    Err(quota_reached(quota, limit, message))
}

/// A tenant has as many as it may.
pub(crate) fn quota_reached(quota: &'static str, limit: usize, message: String) -> Failure {
    Failure::new(ErrorReason::QuotaReached, message)
        .with("quota", quota)
        .with("limit", limit)
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            rooms: None,
            participants: None,
            participants_per_room: None,
            joins_per_second: None,
            bans: 10_000,
            connections: None,
        }
    }
}
