//! A folder with everything that a configuration names.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// The only caller's key.
const API_KEY: &str = "a-key-for-tests-alone";

/// A temporary folder with `ca.pem`, `server.pem`, `server-key.pem` and `api-key`.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// An empty one.
    pub(super) fn empty() -> Self {
        Self(
            tempfile::Builder::new()
                .prefix("stoad-test-")
                .tempdir()
                .expect("a temporary folder"),
        )
    }

    /// One with certificates and a key.
    pub(crate) fn with_credentials() -> Self {
        let folder = Self::empty();
        let key = || KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::default();
        ca.distinguished_name
            .push(DnType::CommonName, "an authority for tests");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(ca, key()).expect("an authority");
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let server_key = key();
        let server = CertificateParams::new(names).expect("names");
        let server = server.signed_by(&server_key, &ca).expect("a certificate");
        folder.write("ca.pem", &ca.pem());
        folder.write("server.pem", &server.pem());
        folder.write("server-key.pem", &server_key.serialize_pem());
        folder.write("api-key", API_KEY);
        folder
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file that nobody else may read, since many are secrets, and returns where it is.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.file(name);
        fs::write(&file, text).expect("the folder is ours");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        file
    }
}

/// A configuration that is right, for a folder with credentials. Every port is a free one.
pub(crate) fn configuration() -> String {
    let sha256 = Sha256::digest(API_KEY.as_bytes());
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "\
media:
  bind: ['127.0.0.1']
  port: 0
  workers: 1
control:
  listen: ['127.0.0.1:0']
  certificate_file: server.pem
  private_key_file: server-key.pem
tenants:
  - name: test
    operator: true
    api_keys:
      - name: test
        sha256: {sha256}
"
    )
}

/// The same with an ops port that takes this key.
pub(crate) fn with_ops(key: &str) -> String {
    let sha256 = Sha256::digest(key.as_bytes());
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let ops = format!("ops:\n  listen: ['127.0.0.1:0']\n  key_sha256: {sha256}\n");
    configuration() + &ops
}

/// The same with WHIP and WHEP, and with a tenant's token keys, which are made in the folder.
pub(crate) fn with_whip(folder: &Folder, origin: &str) -> String {
    let key = folder.file("token.key");
    let made = super::stoad([
        "token".as_ref(),
        "keygen".as_ref(),
        "--kid".as_ref(),
        "e".as_ref(),
        "--out".as_ref(),
        key.as_os_str(),
    ]);
    let public = made
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("public_key: "));
    let public = public.expect("a public key");
    folder.write("token.secret", "a secret of at least thirty-two bytes\n");
    let keys = format!(
        "    token_keys:
      - {{kid: e, algorithm: EdDSA, public_key: '{public}'}}
      - {{kid: h, algorithm: HS256, secret_file: token.secret}}
    operator: true
"
    );
    // After an ICE restart, whip-whep 1.2.0 takes a single candidate: it puts a comma between two.
    let configuration = configuration()
        .replace("    operator: true\n", &keys)
        .replace("media:\n", "media:\n  tcp: false\n");
    format!(
        "{configuration}\
whip:
  listen: ['127.0.0.1:0']
  certificate_file: server.pem
  private_key_file: server-key.pem
  allowed_origins: ['{origin}']
  ice_servers:
    - urls: ['stun:stun.example:3478']
    - {{urls: ['turn:turn.example:3478'], username: u, credential: p}}
log:
  level: debug
"
    )
}
