//! The tenants of a node: who they are, how their callers prove it, and how much they may have.

use stoa_core::TenantId;

use crate::authenticate::{ApiKeyHash, CertificateHash};

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
}

/// Whether a tenant that has `own` of the `taken` places that all of `tenants` share may have one more of `limit`.
/// Where there are several, none may have more than are left for the others (dynamic thresholds, Choudhury and
/// Hahne 1998).
pub(crate) fn may_take(limit: usize, taken: usize, own: usize, tenants: usize) -> bool {
    let free = limit.saturating_sub(taken);
    free > 0 && (tenants <= 1 || own < free)
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            rooms: None,
            participants: None,
            participants_per_room: None,
            joins_per_second: None,
            bans: 10_000,
        }
    }
}
