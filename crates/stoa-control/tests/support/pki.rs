//! Certificates for one test.

use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use stoa_control::TlsIdentity;

/// The name in the server's certificate.
pub const SERVER_NAME: &str = "stoa.test";

/// A CA that vouches for the server and for clients.
pub struct Pki {
    ca: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self {
            ca: CertifiedIssuer::self_signed(params, key).expect("a CA"),
        }
    }

    fn issue(
        &self,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.ca).expect("a certificate");
        (
            certificate.der().clone(),
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
    }

    pub fn server(&self) -> TlsIdentity {
        let (certificate, key) = self.issue(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth);
        TlsIdentity {
            chain: vec![certificate],
            key,
        }
    }

    pub fn client(&self) -> (Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>) {
        let (certificate, key) = self.issue("client", ExtendedKeyUsagePurpose::ClientAuth);
        (vec![certificate], Arc::new(key))
    }

    pub fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.as_ref().der().clone()).expect("a CA");
        Arc::new(roots)
    }
}
