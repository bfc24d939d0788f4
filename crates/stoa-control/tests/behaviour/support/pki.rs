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

/// A certificate chain and its key.
pub type ClientCertificate = (Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>);

/// A CA that vouches for the server and for clients.
pub struct Pki {
    ca: CertifiedIssuer<'static, KeyPair>,
    client: ClientCertificate,
}

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let ca = CertifiedIssuer::self_signed(params, key).expect("a CA");
        let client = client_of(&ca);
        Self { ca, client }
    }

    fn issue(
        ca: &CertifiedIssuer<'static, KeyPair>,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, ca).expect("a certificate");
        (
            certificate.der().clone(),
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
    }

    pub fn server(&self) -> TlsIdentity {
        let (certificate, key) =
            Self::issue(&self.ca, SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth);
        TlsIdentity {
            chain: vec![certificate],
            key,
        }
    }

    /// The client certificate that a tenant of the tests has, always the same one.
    pub fn client(&self) -> ClientCertificate {
        self.client.clone()
    }

    /// A client certificate that the CA vouches for and that is no tenant's.
    pub fn stray_client(&self) -> ClientCertificate {
        client_of(&self.ca)
    }

    pub fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.as_ref().der().clone()).expect("a CA");
        Arc::new(roots)
    }
}

fn client_of(ca: &CertifiedIssuer<'static, KeyPair>) -> ClientCertificate {
    let (certificate, key) = Pki::issue(ca, "client", ExtendedKeyUsagePurpose::ClientAuth);
    (vec![certificate], Arc::new(key))
}
