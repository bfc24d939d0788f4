//! Certificates and an API key for one machine.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use sha2::{Digest as _, Sha256};

use crate::exit::Failure;

/// The name in the server's certificate.
pub(super) const SERVER_NAME: &str = "localhost";

/// How long the certificates hold: nobody should come to depend on them.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a caller needs.
pub(super) struct Credentials {
    /// Who vouches for the server.
    pub(super) ca_pem: String,
    /// The key for `authorization: Bearer`.
    pub(super) api_key: String,
    /// The key of the page's administrator.
    pub(super) admin_key: String,
}

impl Credentials {
    /// Reads them from the folder, or makes them there: `ca.pem`, `server.pem`, `server-key.pem`,
    /// `api-key` and `talk-admin-key`, the keys readable by their owner alone.
    ///
    /// # Errors
    /// [`Failure::Running`].
    pub(super) fn open(folder: &Path, now: SystemTime) -> Result<Self, Failure> {
        let cannot = |error: &dyn std::fmt::Display| {
            Failure::Running(format!(
                "cannot make credentials in {}: {error}",
                folder.display()
            ))
        };
        let names = ["ca.pem", "server.pem", "server-key.pem", "api-key"];
        if !names.iter().all(|name| folder.join(name).exists()) {
            let (ca, server, server_key) = certificates(now).map_err(|error| cannot(&error))?;
            let api_key = hex(&rand::random::<[u8; 32]>());
            let texts = [ca, server, server_key, api_key];
            for (name, text) in names.iter().zip(texts) {
                write(&folder.join(name), &text).map_err(|error| cannot(&error))?;
            }
        }
        // Beside the others, so that a folder made before there was one gets it.
        let admin_key = folder.join("talk-admin-key");
        if !admin_key.exists() {
            write(&admin_key, &hex(&rand::random::<[u8; 32]>())).map_err(|error| cannot(&error))?;
        }
        let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(|e| cannot(&e));
        Ok(Self {
            ca_pem: read("ca.pem")?,
            api_key: read("api-key")?.trim().to_owned(),
            admin_key: read("talk-admin-key")?.trim().to_owned(),
        })
    }

    /// The key's hash, for the configuration.
    pub(super) fn api_key_sha256(&self) -> String {
        hex(&Sha256::digest(self.api_key.as_bytes()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An authority's certificate, a server's, and the server's key.
fn certificates(now: SystemTime) -> Result<(String, String, String), rcgen::Error> {
    let mut ca = CertificateParams::default();
    ca.distinguished_name
        .push(DnType::CommonName, "Stoa development CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.not_before = now.into();
    ca.not_after = (now + LIFETIME).into();
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

    let names = [SERVER_NAME, "127.0.0.1", "::1"].map(str::to_owned);
    let mut server = CertificateParams::new(names)?;
    server
        .distinguished_name
        .push(DnType::CommonName, SERVER_NAME);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.not_before = now.into();
    server.not_after = (now + LIFETIME).into();
    let key = KeyPair::generate()?;
    let server = server.signed_by(&key, &ca)?;
    Ok((ca.pem(), server.pem(), key.serialize_pem()))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
