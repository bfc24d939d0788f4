//! Who calls: a client certificate that TLS has verified, or an API key.
//!
//! A caller who sends an `authorization` header is judged by it alone, so that a wrong key is never
//! covered up by a certificate that happens to be there.

use std::sync::Arc;

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use stoa_api::v1::ErrorReason;
use stoa_core::{RoomId, TenantId};
use stoa_h3::PeerInfo;
use stoa_token::Grant;
use tonic::Request;

use crate::{
    errors::Failure,
    tenants::{ApiKeyHash, CertificateHash, Tenant},
};

/// The only service that needs no credential: probes have none.
const OPEN_SERVICE: &str = "/grpc.health.v1.Health/";

/// Who calls; an extension of every request that got past the gate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    tenant: TenantId,
    is_operator: bool,
    /// The tenant's name, and what it was that the caller has shown.
    name: Arc<str>,
    /// What the caller's join token grants, if that is what they have shown.
    grant: Option<Arc<Grant>>,
}

impl Caller {
    fn new(tenant: &Tenant, shown: &str) -> Self {
        Self {
            tenant: tenant.id.clone(),
            is_operator: tenant.is_operator,
            name: format!("{}/{shown}", tenant.id).into(),
            grant: None,
        }
    }

    /// A participant who shows a join token.
    pub(crate) fn guest(grant: Grant) -> Self {
        Self {
            tenant: grant.tenant.clone(),
            is_operator: false,
            name: format!("{}/token:{}", grant.tenant, grant.participant).into(),
            grant: Some(Arc::new(grant)),
        }
    }

    /// What the caller's join token grants; `None` for a signalling service.
    pub(crate) fn grant(&self) -> Option<&Arc<Grant>> {
        self.grant.as_ref()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    pub(crate) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub(crate) fn is_operator(&self) -> bool {
        self.is_operator
    }

    /// The caller's own room of this name: there is no way to that of another tenant.
    pub(crate) fn own(&self, room: &RoomId) -> RoomId {
        room.in_tenant(&self.tenant)
    }
}

/// Who calls; the gate lets nobody pass to this service without a name.
pub(crate) fn caller<T>(request: &Request<T>) -> Result<Caller, Failure> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(Failure::internal)
}

/// Knows the credentials of all tenants.
pub(crate) struct Authenticator {
    keys: Vec<(Caller, [u8; 32])>,
    certificates: Vec<(Caller, [u8; 32])>,
}

impl Authenticator {
    pub(crate) fn new(tenants: &[Tenant]) -> Self {
        let keys = tenants.iter().flat_map(|tenant| {
            let named = |key: &ApiKeyHash| Caller::new(tenant, &format!("key:{}", key.name));
            tenant
                .api_keys
                .iter()
                .map(move |key| (named(key), key.sha256))
        });
        let certificates = tenants.iter().flat_map(|tenant| {
            let named = |known: &CertificateHash| {
                Caller::new(tenant, &format!("certificate:{}", known.name))
            };
            tenant
                .certificates
                .iter()
                .map(move |known| (named(known), known.sha256))
        });
        Self {
            keys: keys.collect(),
            certificates: certificates.collect(),
        }
    }

    /// The hashes of all that this caller may have shown: none for one with a join token, more than one where
    /// credentials share a name.
    pub(crate) fn shown_by(&self, caller: &Caller) -> Vec<[u8; 32]> {
        let known = self.keys.iter().chain(&self.certificates);
        let own = known.filter(|(known, _)| known == caller);
        own.map(|(_, hash)| *hash).collect()
    }

    /// Who calls; `None` for a call that needs no credential and has none.
    pub(crate) fn caller(
        &self,
        path: &str,
        headers: &HeaderMap,
        peer: Option<&PeerInfo>,
    ) -> Result<Option<Caller>, Failure> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        if let Some(value) = values.next() {
            let only = values.next().is_none();
            let caller = bearer(value.as_bytes())
                .filter(|_| only)
                .and_then(|key| find(&self.keys, &Sha256::digest(key).into()));
            return caller.map(Some).ok_or_else(invalid_credential);
        }
        if let Some(leaf) = peer.and_then(certificate) {
            let caller = find(&self.certificates, &leaf);
            return caller.map(Some).ok_or_else(invalid_credential);
        }
        match path.starts_with(OPEN_SERVICE) {
            true => Ok(None),
            false => Err(missing()),
        }
    }
}

/// Looks at every hash to its end, so that the time taken tells nothing.
fn find(known: &[(Caller, [u8; 32])], hash: &[u8; 32]) -> Option<Caller> {
    let mut found = None;
    for (caller, expected) in known {
        if stoa_secret::is_equal(hash, expected) {
            found = Some(caller);
        }
    }
    found.cloned()
}

/// What may be a join token: the only `Bearer` there is, of three parts. No key that anybody would make has
/// two points, and one that does is found before.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let token = std::str::from_utf8(bearer(value.as_bytes())?).ok()?;
    (token.matches('.').count() == 2).then_some(token)
}

/// The key of `Bearer KEY` (RFC 6750, section 2.1); the scheme's case does not matter.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !key.is_empty()).then_some(key)
}

/// The SHA-256 of the certificate that TLS has verified.
fn certificate(peer: &PeerInfo) -> Option<[u8; 32]> {
    let leaf = peer.client_certificates.as_ref()?.first()?;
    Some(Sha256::digest(leaf).into())
}

fn missing() -> Failure {
    Failure::new(
        ErrorReason::CredentialMissing,
        "send a key of this node as `authorization: Bearer KEY`, or use a client certificate",
    )
}

/// What was shown is not, or not any more, a credential of this node's.
pub(crate) fn invalid_credential() -> Failure {
    Failure::new(
        ErrorReason::CredentialInvalid,
        "the credential is not one of this node's: neither the key of an `authorization: Bearer KEY` header, \
         nor the client certificate where there is no such header",
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PATH: &str = "/stoa.control.v1.Rooms/Join";

    fn judge(values: &[&str]) -> Result<Option<Caller>, ErrorReason> {
        let tenant = |name: &str, key| Tenant {
            api_keys: vec![ApiKeyHash::of("main", key)],
            ..Tenant::new(TenantId::new(name).expect("an identifier"))
        };
        let tenants = [tenant("one", "first"), tenant("two", "second")];
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header"),
            );
        }
        Authenticator::new(&tenants)
            .caller(PATH, &headers, None)
            .map_err(|failure| failure.reason)
    }

    #[test]
    fn a_key_names_its_caller() {
        let caller = judge(&["bearer second"]).expect("a key").expect("a caller");
        assert_eq!(caller.as_str(), "two/key:main");
        assert_eq!(caller.tenant().as_str(), "two");
        assert!(judge(&["Bearer first"]).is_ok());
    }

    #[test]
    fn anything_else_in_the_header_is_refused() {
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer third",
            "Basic first",
            "Bearer  first",
        ] {
            assert_eq!(
                judge(&[bad]),
                Err(ErrorReason::CredentialInvalid),
                "{bad:?}"
            );
        }
        let twice = judge(&["Bearer first", "Bearer first"]);
        assert_eq!(twice, Err(ErrorReason::CredentialInvalid));
        assert_eq!(judge(&[]), Err(ErrorReason::CredentialMissing));
    }
}
