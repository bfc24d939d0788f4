//! Who keeps a place at a full port.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use stoa_control::{
    BoxFuture, ControlConfig, ControlServer, Media, MediaError, OpenServer, Tenant, WorkerStatus,
};
use stoa_core::{
    Join, Joined, LeaveReason, ParticipantChange, ParticipantId, Revision, RoomId, RoomSettings,
    RoomSnapshot, RoomUpdate, SessionId, TenantId,
};
use stoa_token::{Claims, Keys, SigningKey, Verifier};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{mpsc, oneshot},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::config::Origins;

/// What every wait of a test ends by.
const IN_TIME: Duration = Duration::from_secs(20);

/// The key of the tenant's tokens.
const SECRET: &[u8] = b"a secret of thirty-two bytes and more";

/// No room is asked for here.
struct NoMedia;

fn stopped<T: Send + 'static>() -> BoxFuture<'static, Result<T, MediaError>> {
    Box::pin(async { Err(MediaError::Stopped) })
}

impl Media for NoMedia {
    fn create_room(
        &self,
        _: RoomId,
        _: RoomSettings,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        stopped()
    }

    fn update_room(&self, _: RoomId, _: RoomUpdate) -> BoxFuture<'_, Result<Revision, MediaError>> {
        stopped()
    }

    fn close_room(&self, _: RoomId) -> BoxFuture<'_, Result<(), MediaError>> {
        stopped()
    }

    fn join(&self, _: Join) -> BoxFuture<'_, Result<Joined, MediaError>> {
        stopped()
    }

    fn add_ice_candidate(
        &self,
        _: RoomId,
        _: ParticipantId,
        _: Option<SessionId>,
        _: String,
    ) -> BoxFuture<'_, Result<(), MediaError>> {
        stopped()
    }

    fn restart_ice(
        &self,
        _: RoomId,
        _: ParticipantId,
        _: Option<SessionId>,
        _: String,
    ) -> BoxFuture<'_, Result<String, MediaError>> {
        stopped()
    }

    fn change_participant(
        &self,
        _: RoomId,
        _: ParticipantId,
        _: Option<SessionId>,
        _: ParticipantChange,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        stopped()
    }

    fn remove_participant(
        &self,
        _: RoomId,
        _: ParticipantId,
        _: Option<SessionId>,
        _: LeaveReason,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        stopped()
    }

    fn snapshots(&self) -> BoxFuture<'_, Result<Vec<RoomSnapshot>, MediaError>> {
        stopped()
    }

    fn home(&self, _: &RoomId) -> usize {
        0
    }

    fn status(&self) -> Vec<WorkerStatus> {
        Vec::new()
    }
}

/// A port of so many places, and who may come to it.
struct Port {
    address: SocketAddr,
    open: OpenServer,
    certificate: CertificateDer<'static>,
    key: SigningKey,
    _end: oneshot::Sender<()>,
}

impl Port {
    fn open(places: usize) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let made = made.expect("a certificate");
        let certificate = made.cert.der().clone();
        let identity = || TlsIdentity {
            chain: vec![certificate.clone()],
            key: PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key"),
        };
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let tenant = || TenantId::new("home").expect("an identifier");
        let key = SigningKey::hs256(SECRET).expect("a key");
        let keys = Keys::new([key.checking(tenant(), "h").expect("a key")]).expect("keys");
        let mut control = ControlConfig::new(vec![local], identity());
        control.tenants = vec![Tenant::new(tenant())];
        control.tokens = Verifier::new(keys);
        control.service.whip_connections = places;
        let (_, notices) = mpsc::channel(1);
        let control = ControlServer::bind(control).expect("a free port");
        let open = control.open(Arc::new(NoMedia), notices);
        let whip = WhipServer::bind(WhipConfig {
            listen: vec![local],
            identity: identity(),
            origins: Origins::default(),
            ice_servers: Vec::new(),
        });
        let whip = whip.expect("a free port");
        let address = whip.addresses()[0];
        let (end, ended) = oneshot::channel();
        tokio::spawn(whip.serve(open.entrance(), async {
            // Dropped, or told.
            let _ = ended.await;
        }));
        Self {
            address,
            open,
            certificate,
            key,
            _end: end,
        }
    }

    fn taken(&self) -> usize {
        self.open.entrance().whip_connections().count()
    }

    async fn dial(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a root");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TcpStream::connect(self.address).await;
        let connector = TlsConnector::from(Arc::new(tls));
        let dialled = connector.connect(name, stream.expect("the port is open"));
        let dialled = timeout(IN_TIME, dialled).await;
        dialled.expect("in time").expect("TLS")
    }

    fn token(&self) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since.expect("after it").as_secs();
        let claims = Claims {
            iss: "home".into(),
            sub: "ann".into(),
            jti: "one".into(),
            iat: now,
            nbf: None,
            exp: now + 300,
            aud: None,
            room: "r".into(),
            role: "speaker".into(),
            publish: vec!["audio".into()],
            name: "Ann".into(),
            once: false,
        };
        self.key.mint("h", &claims).expect("a token")
    }
}

/// Asks for the end of a session that there is not, with this token. Returns the status.
async fn asks(stream: &mut TlsStream<TcpStream>, token: &str) -> String {
    let request = format!(
        "DELETE /session/none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("it is there");
    let mut answer = vec![0; 4_096];
    let length = timeout(IN_TIME, stream.read(&mut answer)).await;
    let length = length.expect("in time").expect("it is there");
    let answer = String::from_utf8_lossy(&answer[..length]);
    let status = answer.split(' ').nth(1).unwrap_or("none");
    status.to_owned()
}

#[tokio::test]
async fn whoever_shows_no_token_makes_room_at_a_full_port() {
    let port = Port::open(2);
    let mut ann = port.dial().await;
    assert_eq!(asks(&mut ann, &port.token()).await, "404");
    let mut stranger = port.dial().await;
    assert_eq!(asks(&mut stranger, "a.bad.one").await, "401");
    assert_eq!(port.taken(), 2);
    let mut ben = port.dial().await;
    assert_eq!(asks(&mut ben, &port.token()).await, "404");
    let end = timeout(IN_TIME, stranger.read(&mut [0])).await;
    assert_eq!(end.expect("in time").unwrap_or(0), 0, "it is over");
    // Both have shown one, and nobody makes room.
    let stream = TcpStream::connect(port.address).await;
    let mut turned_away = stream.expect("the port is open");
    let end = timeout(IN_TIME, turned_away.read(&mut [0])).await;
    assert_eq!(end.expect("in time").unwrap_or(0), 0);
    assert_eq!(asks(&mut ann, &port.token()).await, "404");
    assert_eq!(asks(&mut ben, &port.token()).await, "404");
}
