//! A node: the media workers and the control server that the daemon runs, on ports of its own.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use stoa_control::{ApiKeyHash, ControlConfig, ControlServer, Tenant, TlsIdentity};
use stoa_core::{Certificate, EgressPath, Limits, TenantId};
use stoa_net::{Advertised, Started};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::oneshot, task::JoinHandle};

use super::media::{Workers, bridge};

/// The only caller's key.
const API_KEY: &str = "a-key-for-tests-alone";

/// How long anything may take that one waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);

/// What a node is told.
#[derive(Default)]
pub(crate) struct Settings {
    /// Where it is, if not on loopback.
    pub(crate) address: Option<Ipv4Addr>,
    /// How many participants a room takes, if not as many as it does by itself.
    pub(crate) most_in_a_room: Option<usize>,
    /// Where clients reach its only worker, if not at the worker itself.
    pub(crate) advertise: Option<SocketAddr>,
    /// Whether the caller may not see what the node as a whole does.
    pub(crate) is_not_operator: bool,
}

/// A running node.
pub(crate) struct Node {
    runtime: Runtime,
    workers: Option<stoa_net::Workers>,
    media: stoa_net::Media,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    control: SocketAddr,
    folder: TempDir,
}

impl Node {
    /// Starts one.
    pub(crate) fn start(settings: &Settings) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let _entered = runtime.enter();
        let folder = tempfile::tempdir().expect("a folder");
        let ip = settings.address.unwrap_or(Ipv4Addr::LOCALHOST);
        let identity = identity(&folder, ip);
        let address = SocketAddr::from((ip, 0));
        let mut config = ControlConfig::new(vec![address], identity);
        admit(&mut config, !settings.is_not_operator);
        let server = ControlServer::bind(config).expect("the port is free");
        let Started {
            workers,
            media,
            notices,
        } = stoa_net::start(&media_config(settings)).expect("the workers start");
        let control = server.addresses()[0];
        let (stop, stopped) = oneshot::channel::<()>();
        let (bridge, notices) = bridge(notices);
        tokio::spawn(bridge);
        let served = server.serve(Arc::new(Workers(media.clone())), notices, async {
            // Also when the test drops it.
            let _ = stopped.await;
        });
        let served = tokio::spawn(served);
        drop(_entered);
        Self {
            runtime,
            workers: Some(workers),
            media,
            server: Some((stop, served)),
            control,
            folder,
        }
    }

    /// The port of its only worker.
    pub(crate) fn media_port(&self) -> u16 {
        self.media.status()[0].port
    }

    /// How many participants there are.
    pub(crate) fn participants(&self) -> usize {
        self.media
            .status()
            .iter()
            .map(|worker| worker.participants)
            .sum()
    }

    /// How many rooms there are.
    pub(crate) fn rooms(&self) -> usize {
        self.media.status().iter().map(|worker| worker.rooms).sum()
    }

    /// Waits until something holds of the node.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "{what}");
            // bounded: by PATIENCE
            std::thread::sleep(LOOK);
        }
    }

    /// Ends it at once, without a word to anybody, as a crash would.
    pub(crate) fn crash(&mut self) {
        if let Some((_stop, served)) = self.server.take() {
            served.abort();
        }
        if let Some(workers) = self.workers.take() {
            workers.shut_down();
        }
    }

    /// The arguments by which the tester reaches it.
    pub(crate) fn arguments(&self) -> Vec<String> {
        self.arguments_with("api-key", "ca.pem")
    }

    /// The same, with other files from its folder.
    pub(crate) fn arguments_with(&self, key: &str, ca: &str) -> Vec<String> {
        let file = |name| self.folder.path().join(name).display().to_string();
        let url = format!("https://{}", self.control);
        let arguments = [
            "--target",
            &url,
            "--ca",
            &file(ca),
            "--api-key-file",
            &file(key),
        ];
        arguments.map(str::to_owned).to_vec()
    }

    /// Writes a file into its folder that nobody else may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        super::write(&path, text);
        path
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.crash();
    }
}

/// The one place that says who may call.
fn admit(config: &mut ControlConfig, is_operator: bool) {
    config.tenants = vec![Tenant {
        api_keys: vec![ApiKeyHash::of("load", API_KEY)],
        is_operator,
        ..Tenant::new(TenantId::new("load").expect("an identifier"))
    }];
}

fn media_config(settings: &Settings) -> stoa_net::Config {
    let mut limits = Limits::default();
    if let Some(most) = settings.most_in_a_room {
        limits.participants_per_room = most;
    }
    let advertise = settings.advertise.map(|address| Advertised {
        ip: address.ip(),
        port: Some(address.port()),
    });
    stoa_net::Config {
        bind: vec![settings.address.unwrap_or(Ipv4Addr::LOCALHOST).into()],
        port: 0,
        workers: 1,
        quotas: Vec::new(),
        tcp: false,
        advertise: advertise.into_iter().collect(),
        certificate: Certificate::generate().expect("a certificate"),
        limits,
        egress: EgressPath::Direct,
    }
}

/// The server's certificate; writes who vouches for it, somebody else who does not, and the keys.
fn identity(folder: &TempDir, ip: Ipv4Addr) -> TlsIdentity {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA")
    };
    let (ca, other) = (authority(), authority());
    let key = KeyPair::generate().expect("a key");
    let names = vec![ip.to_string()];
    let params = CertificateParams::new(names).expect("a name");
    let certificate = params.signed_by(&key, &ca).expect("a certificate");
    let write = |name: &str, text: String| {
        super::write(&folder.path().join(name), &text);
    };
    write("ca.pem", ca.pem());
    write("other-ca.pem", other.pem());
    write("api-key", format!("{API_KEY}\n"));
    write("other-key", "another-key\n".to_owned());
    write("no-key", "\n".to_owned());
    TlsIdentity {
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
    }
}
