//! The real daemon, as a process of its own on loopback.

use std::{
    fs::{self, File},
    io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant, SystemTime},
};

use nix::{
    sys::signal::{Signal, kill},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sha2::{Digest as _, Sha256};
use stoa_client::{Client, ClientConfig, ConnectError, Credential, TrustAnchors};
use stoa_token::{Claims, MintError, SigningKey};
use tempfile::TempDir;

use crate::path;

/// The caller's key.
const API_KEY: &str = "a-key-for-benches-alone";

/// The key of another tenant's caller, who means no good.
const NEIGHBOUR_KEY: &str = "a-key-for-whoever-floods-the-node";

/// Its tenant.
const TENANT: &str = "bench";

/// What signs the tenant's join tokens, and its name.
const TOKEN_SECRET: &[u8] = b"a-secret-for-the-tokens-of-benches-alone";
const TOKEN_KEY: &str = "bench";

/// How long the daemon may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often one looks whether it has.
const LOOK: Duration = Duration::from_millis(10);

/// Why there is no daemon.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    #[error(
        "there is no daemon at {0}: build it with `cargo build -p stoad` (with `--release` for a \
         bench that is), or say where it is with --stoad"
    )]
    NoProgram(PathBuf),
    #[error("the daemon's folder: {0}")]
    Folder(#[from] io::Error),
    #[error("the daemon's certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    #[error("the daemon did not start within {PATIENCE:?}; its log:\n{0}")]
    NotReady(String),
    #[error("no connection to the daemon: {0}")]
    Connect(#[from] ConnectError),
    #[error("a call failed: {0}")]
    Call(String),
    #[error("a join token cannot be made: {0}")]
    Token(#[from] MintError),
    #[error("the daemon's process: {0}")]
    Process(#[from] nix::Error),
    #[error("the daemon's memory cannot be read from {0}")]
    Memory(String),
    #[error("the daemon did not end within {PATIENCE:?} after SIGTERM")]
    NotEnded,
    #[error("the daemon ended with {0}; its log:\n{1}")]
    Failed(ExitStatus, String),
}

/// A running daemon. It is killed if the bench fails.
pub(crate) struct Daemon {
    process: Child,
    folder: TempDir,
    connector: Connector,
    whip: SocketAddr,
}

/// Connects to a daemon's control API, as its only caller.
#[derive(Clone)]
pub(crate) struct Connector {
    control: SocketAddr,
    ca_pem: String,
}

impl Daemon {
    /// Starts the daemon with so many media workers, and this way to listeners. Without a path, its program is the one beside the
    /// bench's own: that was built from the same sources, in the same way.
    ///
    /// # Errors
    /// [`DaemonError`].
    pub(crate) fn start(
        program: Option<&Path>,
        workers: usize,
        egress: path::Path,
    ) -> Result<Self, DaemonError> {
        // What is measured is the end of what it can do, and not where it says that it is.
        Self::start_limited(program, workers, egress, "  enforce: false\n")
    }

    /// The same with these keys of the section `capacity`.
    ///
    /// # Errors
    /// [`DaemonError`].
    pub(crate) fn start_limited(
        program: Option<&Path>,
        workers: usize,
        egress: path::Path,
        capacity: &str,
    ) -> Result<Self, DaemonError> {
        let program = match program {
            Some(path) => path.to_owned(),
            None => std::env::current_exe()?.with_file_name("stoad"),
        };
        if !program.is_file() {
            return Err(DaemonError::NoProgram(program));
        }
        let folder = tempfile::Builder::new().prefix("stoa-bench-").tempdir()?;
        let ca_pem = write_certificates(folder.path())?;
        write_secret(&folder.path().join("token.secret"), TOKEN_SECRET)?;
        let config = folder.path().join("stoad.yaml");
        fs::write(&config, configuration(workers, egress, capacity))?;
        let process = Command::new(program)
            .env_remove("RUST_LOG")
            .args(["run", "--config"])
            .arg(config)
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut daemon = Self {
            process,
            folder,
            connector: Connector {
                control: nowhere,
                ca_pem,
            },
            whip: nowhere,
        };
        daemon.connector.control = daemon.wait_for("the control API is served")?;
        daemon.whip = daemon.wait_for("WHIP and WHEP are served")?;
        Ok(daemon)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The address in the line of the log that begins so.
    fn wait_for(&mut self, what: &str) -> Result<SocketAddr, DaemonError> {
        let began = Instant::now();
        loop {
            let log = self.log();
            if let Some(address) = log.lines().find_map(|line| address(line, what)) {
                return Ok(address);
            }
            if began.elapsed() > PATIENCE || self.process.try_wait()?.is_some() {
                return Err(DaemonError::NotReady(log));
            }
            // bounded: by PATIENCE
            std::thread::sleep(LOOK);
        }
    }

    /// A connection to its control API.
    ///
    /// # Errors
    /// [`DaemonError::Connect`].
    pub(crate) async fn connect(&self) -> Result<Client, DaemonError> {
        self.connector.connect().await
    }

    /// What connects to its control API.
    pub(crate) fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// Where WHIP is served.
    pub(crate) fn whip(&self) -> SocketAddr {
        self.whip
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().cast_signed())
    }

    /// What its process has used of processors, in user space and in the kernel, since it began: POSIX's
    /// process CPU-time clock.
    ///
    /// # Errors
    /// [`DaemonError::Process`] if it has ended.
    pub(crate) fn cpu(&self) -> Result<Duration, DaemonError> {
        let clock = ClockId::pid_cpu_clock_id(self.pid())?;
        Ok(clock_gettime(clock)?.into())
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    /// [`DaemonError::Memory`] where the system does not tell.
    pub(crate) fn resident(&self) -> Result<u64, DaemonError> {
        let file = format!("/proc/{}/status", self.process.id());
        let text = fs::read_to_string(&file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        match kibibytes {
            Some(kibibytes) => Ok(kibibytes * 1_024),
            None => Err(DaemonError::Memory(file)),
        }
    }

    /// Ends it, and looks how it ended.
    ///
    /// # Errors
    /// [`DaemonError::NotEnded`], [`DaemonError::Failed`].
    pub(crate) fn stop(mut self) -> Result<(), DaemonError> {
        kill(self.pid(), Signal::SIGTERM)?;
        let began = Instant::now();
        loop {
            match self.process.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(DaemonError::Failed(status, self.log())),
                None if began.elapsed() > PATIENCE => return Err(DaemonError::NotEnded),
                // bounded: by PATIENCE
                None => std::thread::sleep(LOOK),
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only where it has ended already, and then there is nothing left to do.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Connector {
    /// A connection of its own.
    ///
    /// # Errors
    /// [`DaemonError::Connect`].
    pub(crate) async fn connect(&self) -> Result<Client, DaemonError> {
        let mut config = ClientConfig::new(
            format!("https://{}", self.control),
            TrustAnchors::Pem(self.ca_pem.clone().into_bytes()),
            Credential::ApiKey(API_KEY.to_owned().into()),
        );
        // A call in a storm of a thousand waits for those before it.
        config.timeouts.call = 2 * PATIENCE;
        Ok(Client::connect(config).await?)
    }

    /// Where the control API is served.
    pub(crate) fn control(&self) -> SocketAddr {
        self.control
    }

    /// Who vouches for the daemon, in PEM.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What the calls of the other tenant's caller have as `authorization`.
    pub(crate) fn neighbours_bearer() -> String {
        format!("Bearer {NEIGHBOUR_KEY}")
    }
}

/// A join token of the caller's tenant, by which this one may enter that room and be heard.
///
/// # Errors
/// [`DaemonError::Token`].
pub(crate) fn token(who: &str, room: &str) -> Result<String, DaemonError> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let claims = Claims {
        iss: TENANT.to_owned(),
        sub: who.to_owned(),
        jti: who.to_owned(),
        iat: now,
        nbf: None,
        exp: now + 3_600,
        aud: None,
        room: room.to_owned(),
        role: "speaker".to_owned(),
        publish: vec!["audio".to_owned()],
        name: String::new(),
        once: false,
    };
    Ok(SigningKey::hs256(TOKEN_SECRET)?.mint(TOKEN_KEY, &claims)?)
}

/// The address in the line of the log that begins so.
fn address(line: &str, what: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields")?;
    let message = fields.get("message")?.as_str()?;
    if !message.starts_with(what) {
        return None;
    }
    fields.get("address")?.as_str()?.parse().ok()
}

/// Everything on loopback and on ports that are free.
fn configuration(workers: usize, egress: path::Path, capacity: &str) -> String {
    let egress = egress.name();
    let hash = |key| -> String {
        let hash = Sha256::digest(key);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let (own, neighbours) = (hash(API_KEY), hash(NEIGHBOUR_KEY));
    format!(
        "\
media:
  bind: ['127.0.0.1']
  port: 0
  workers: {workers}
  egress: {egress}
control:
  listen: ['127.0.0.1:0']
  certificate_file: server.pem
  private_key_file: server-key.pem
tenants:
  - name: {TENANT}
    operator: true
    token_keys:
      - {{kid: {TOKEN_KEY}, algorithm: HS256, secret_file: token.secret}}
    api_keys:
      - name: bench
        sha256: {own}
  - name: neighbour
    api_keys:
      - name: flood
        sha256: {neighbours}
whip:
  listen: ['127.0.0.1:0']
  certificate_file: server.pem
  private_key_file: server-key.pem
capacity:
{capacity}log:
  format: json
"
    )
}

/// Writes the daemon's certificate and key, and returns the certificate of who vouches for it.
fn write_certificates(folder: &Path) -> Result<String, DaemonError> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &ca)?;
    fs::write(folder.join("server.pem"), server.pem())?;
    let key = key.serialize_pem();
    write_secret(&folder.join("server-key.pem"), key.as_bytes())?;
    Ok(ca.pem())
}

/// A file that nobody else may read: the daemon takes no other one.
fn write_secret(file: &Path, contents: &[u8]) -> io::Result<()> {
    fs::write(file, contents)?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_the_log() {
        let line = r#"{"level":"INFO","fields":{"message":"the control API is served over HTTP/2 and HTTP/3","address":"127.0.0.1:7443"}}"#;
        assert_eq!(
            address(line, "the control API"),
            Some(SocketAddr::from(([127, 0, 0, 1], 7443)))
        );
        assert_eq!(address("no JSON", ""), None);
        let other = r#"{"fields":{"message":"started"}}"#;
        assert_eq!(address(other, "the control API"), None);
    }

    #[test]
    fn a_missing_program_is_named() {
        let missing = Path::new("/nowhere/stoad");
        let error = Daemon::start(Some(missing), 1, path::Path::Direct)
            .err()
            .expect("no daemon");
        let text = error.to_string();
        assert!(
            text.contains("/nowhere/stoad") && text.contains("cargo build"),
            "{text}"
        );
    }
}
