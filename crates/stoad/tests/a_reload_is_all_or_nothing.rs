//! SIGHUP: the whole of a good configuration is applied, nothing of a bad one; certificates whose files change are shown
//! without it, and connections that are there live on.

mod support;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    rc::Rc,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig as Tls, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};
use stoa_client::{
    Client, ClientConfig, Credential, TrustAnchors, reason,
    v1::{ErrorReason, ListRoomsRequest, WatchRequest},
};
use support::{Daemon, Folder, configuration, connect, create_room, with_whip};

/// How long anything may take: the files of the certificates are looked at every five seconds.
const PATIENCE: Duration = Duration::from_secs(30);

const NEW_KEY: &str = "another-key-for-tests-alone";

fn hash(key: impl AsRef<[u8]>) -> String {
    let sha256 = Sha256::digest(key);
    sha256.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn with_ops() -> String {
    configuration() + "ops:\n  listen: ['127.0.0.1:0']\n"
}

/// Waits until the metrics have this line.
#[track_caller]
fn await_metric(daemon: &Daemon, line: &str) -> String {
    let began = Instant::now();
    loop {
        let (_, text) = daemon.ask_ops("GET", "/metrics", None);
        if text.lines().any(|has| has == line) {
            return text;
        }
        assert!(began.elapsed() < PATIENCE, "{line} is not in\n{text}");
        // bounded: by PATIENCE
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn config(daemon: &Daemon, ca: &str, key: &str) -> ClientConfig {
    ClientConfig::new(
        format!("https://{}", daemon.control()),
        TrustAnchors::Pem(ca.as_bytes().to_vec()),
        Credential::ApiKey(key.to_owned().into()),
    )
}

async fn list(client: &Client) -> Result<usize, Option<ErrorReason>> {
    let listed = client.rooms().list_rooms(ListRoomsRequest::default()).await;
    let rooms = listed.map(|listed| listed.into_inner().rooms.len());
    rooms.map_err(|status| reason(&status))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_key_changes_nothing_and_a_good_file_is_applied() {
    let folder = Rc::new(Folder::with_credentials());
    let old = with_ops();
    folder.write("stoad.yaml", &old);
    let old_key = fs::read_to_string(folder.file("api-key")).expect("it is there");
    let daemon = Daemon::run_in(Rc::clone(&folder));
    let client = connect(&folder, daemon.control()).await;
    create_room(&client, "hall").await.expect("a new room");
    let watch = WatchRequest {
        room_id: "hall".into(),
        ..Default::default()
    };
    let mut watch = client
        .rooms()
        .watch(watch)
        .await
        .expect("it is there")
        .into_inner();
    watch
        .message()
        .await
        .expect("it lives")
        .expect("a snapshot");

    // All that is new is right but for one key.
    let new = old.replace(&hash(&old_key), &hash(NEW_KEY));
    let new = new.replace("  port: 0\n", "  port: 0\n  tcp: false\n") + "log:\n  level: debug\n";
    folder.write(
        "stoad.yaml",
        &new.replace("  tcp: false\n", "  tpc: false\n"),
    );
    daemon.hang_up();
    let text = await_metric(&daemon, r#"stoa_config_reloads_total{result="failure"} 1"#);
    assert!(
        text.contains("stoa_config_last_reload_successful 0"),
        "{text}"
    );
    let log = daemon.log();
    for part in [
        "line 4 column 3",
        "did you mean `tcp`?",
        "nothing has changed",
    ] {
        assert!(log.contains(part), "{part} is not in\n{log}");
    }
    assert_eq!(list(&client).await, Ok(1), "its key is good");

    folder.write("stoad.yaml", &new);
    daemon.hang_up();
    let text = await_metric(&daemon, r#"stoa_config_reloads_total{result="success"} 1"#);
    assert!(
        text.contains("stoa_config_last_reload_successful 1"),
        "{text}"
    );
    let log = daemon.log();
    for part in [
        r#"restart="media.tcp""#,
        "log.level, tenants[test].api_keys[test].sha256",
    ] {
        assert!(log.contains(part), "{part} is not in\n{log}");
    }
    let refused = Err(Some(ErrorReason::CredentialInvalid));
    assert_eq!(list(&client).await, refused, "its key is good no more");
    let ended = async {
        loop {
            if let Err(status) = watch.message().await {
                return reason(&status);
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("it ends");
    assert_eq!(ended, Some(ErrorReason::CredentialInvalid));
    let ca = fs::read_to_string(folder.file("ca.pem")).expect("it is there");
    let client = Client::connect(config(&daemon, &ca, NEW_KEY))
        .await
        .expect("it is there");
    assert_eq!(list(&client).await, Ok(1), "nothing was lost");
    assert!(
        daemon.log().contains("DEBUG"),
        "the log says more than before"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_shown_and_a_bad_pair_changes_nothing() {
    let folder = Rc::new(Folder::with_credentials());
    folder.write("stoad.yaml", &with_ops());
    let read =
        |folder: &Folder, name: &str| fs::read_to_string(folder.file(name)).expect("it is there");
    let (old_ca, key) = (read(&folder, "ca.pem"), read(&folder, "api-key"));
    let old_certificate = read(&folder, "server.pem");
    let daemon = Daemon::run_in(Rc::clone(&folder));
    let before = connect(&folder, daemon.control()).await;
    assert_eq!(list(&before).await, Ok(0));
    let (_, text) = daemon.ask_ops("GET", "/metrics", None);
    let expiry = r#"stoa_certificate_expiry_timestamp_seconds{port="control"}"#;
    assert!(text.contains(expiry), "{text}");

    let renewed = Folder::with_credentials();
    let (ca, certificate) = (read(&renewed, "ca.pem"), read(&renewed, "server.pem"));
    // A certificate without its key.
    folder.write("server.pem", &certificate);
    daemon.hang_up();
    await_metric(&daemon, r#"stoa_config_reloads_total{result="failure"} 1"#);
    await_metric(
        &daemon,
        r#"stoa_certificate_reloads_total{result="failure"} 1"#,
    );
    let again = Client::connect(config(&daemon, &old_ca, &key)).await;
    assert_eq!(list(&again.expect("the old one is shown")).await, Ok(0));

    // With its key, and nobody says so.
    folder.write("server-key.pem", &read(&renewed, "server-key.pem"));
    await_metric(
        &daemon,
        r#"stoa_certificate_reloads_total{result="success"} 1"#,
    );
    let after = Client::connect(config(&daemon, &ca, &key)).await;
    assert_eq!(list(&after.expect("the new one is shown")).await, Ok(0));
    // Who trusts the old one alone could not come again.
    assert_eq!(list(&before).await, Ok(0), "the old connection lives on");
    assert_ne!(old_certificate, certificate);
    assert!(
        Client::connect(config(&daemon, &old_ca, &key))
            .await
            .is_err()
    );
}

/// A caller with a certificate: what vouches for it, and its hash.
struct Vouched {
    ca: String,
    sha256: String,
    credential: Credential,
}

fn vouched() -> Vouched {
    let key = || KeyPair::generate().expect("a key");
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, key()).expect("an authority");
    let own = key();
    let certificate = CertificateParams::default().signed_by(&own, &ca);
    let certificate = certificate.expect("a certificate");
    Vouched {
        ca: ca.pem(),
        sha256: hash(certificate.der()),
        credential: Credential::Certificate {
            chain: vec![certificate.der().clone()],
            key: Arc::new(own.into()),
        },
    }
}

/// Whether the daemon takes this caller.
async fn takes(daemon: &Daemon, ca: &str, caller: &Vouched) -> bool {
    let config = ClientConfig {
        credential: caller.credential.clone(),
        ..config(daemon, ca, "")
    };
    match Client::connect(config).await {
        Ok(client) => list(&client).await.is_ok(),
        Err(_) => false,
    }
}

/// The head of what WHIP answers to a page of this origin that asks what it may do.
fn preflight(daemon: &Daemon, ca: &str, origin: &str) -> String {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let authority = authority.expect("a certificate");
        roots.add(authority).expect("an authority");
    }
    let tls = Tls::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let tls = ClientConnection::new(Arc::new(tls), name).expect("a good configuration");
    let socket = TcpStream::connect(daemon.whip()).expect("the port is open");
    let mut stream = StreamOwned::new(tls, socket);
    let request = format!(
        "OPTIONS /whip HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.to_ascii_lowercase()
}

/// One has its certificate of an authority that goes, the other of one that comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_call_how_much_and_from_where_changes_at_once() {
    const HERE: &str = "https://here.example";
    const THERE: &str = "https://there.example";
    let folder = Rc::new(Folder::with_credentials());
    let (goes, comes) = (vouched(), vouched());
    folder.write("callers.pem", &goes.ca);
    folder.write("others.pem", &comes.ca);
    let more = format!(
        "    client_certificates:\n\
         \x20     - {{name: goes, sha256: {}}}\n\
         \x20     - {{name: comes, sha256: {}}}\n\
         \x20   quotas: {{rooms: 1}}\n    operator: true\n",
        goes.sha256, comes.sha256
    );
    let old = with_whip(&folder, HERE)
        .replacen("    operator: true\n", &more, 1)
        .replacen("control:\n", "control:\n  client_ca_file: callers.pem\n", 1)
        + "ops:\n  listen: ['127.0.0.1:0']\n";
    folder.write("stoad.yaml", &old);
    let daemon = Daemon::run_with_whip(Rc::clone(&folder));
    let ca = fs::read_to_string(folder.file("ca.pem")).expect("it is there");
    let client = connect(&folder, daemon.control()).await;
    let allows = |origin: &str| {
        let allowed = format!("access-control-allow-origin: {origin}");
        preflight(&daemon, &ca, origin).contains(&allowed)
    };
    assert!(takes(&daemon, &ca, &goes).await && !takes(&daemon, &ca, &comes).await);
    assert!(allows(HERE) && !allows(THERE));
    create_room(&client, "hall").await.expect("a new room");
    let refused = create_room(&client, "second").await;
    assert_eq!(refused, Err(Some(ErrorReason::QuotaReached)));

    let new = old
        .replace("callers.pem", "others.pem")
        .replace("rooms: 1", "rooms: 2")
        .replace(HERE, THERE);
    folder.write("stoad.yaml", &new);
    daemon.hang_up();
    await_metric(&daemon, r#"stoa_config_reloads_total{result="success"} 1"#);
    assert!(!takes(&daemon, &ca, &goes).await && takes(&daemon, &ca, &comes).await);
    assert!(!allows(HERE) && allows(THERE));
    create_room(&client, "second").await.expect("its quota");
    let refused = create_room(&client, "third").await;
    assert_eq!(refused, Err(Some(ErrorReason::QuotaReached)));

    // Less memory than any process has.
    let new = new.replace("rooms: 2", "rooms: 9") + "capacity:\n  memory_mib: 1\n";
    folder.write("stoad.yaml", &new);
    daemon.hang_up();
    await_metric(&daemon, r#"stoa_config_reloads_total{result="success"} 2"#);
    await_metric(&daemon, r#"stoa_saturation_level 3"#);
    let refused = create_room(&client, "third").await;
    assert_eq!(refused, Err(Some(ErrorReason::NodeSaturated)));
    folder.write(
        "stoad.yaml",
        &new.replace("memory_mib: 1", "enforce: false"),
    );
    daemon.hang_up();
    await_metric(&daemon, r#"stoa_config_reloads_total{result="success"} 3"#);
    create_room(&client, "third").await.expect("there is room");
}

/// The public key of RFC 8037, appendix A.
const TOKEN_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// Token keys are read after the certificates, and waited for where they come through a pipe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_renewed_while_the_node_starts_is_seen() {
    let folder = Rc::new(Folder::with_credentials());
    let keys = "    token_keys:\n      - {kid: e, algorithm: EdDSA, public_key_file: pipe}\n    operator: true\n";
    let text = with_ops().replacen("    operator: true\n", keys, 1);
    folder.write("stoad.yaml", &text);
    let pipe = folder.file("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("it starts").success());
    let renewed = Folder::with_credentials();
    let files = ["server.pem", "server-key.pem"].map(|name| {
        let text = fs::read_to_string(renewed.file(name)).expect("it is there");
        (folder.file(name), text)
    });
    let renewal = thread::spawn(move || {
        // Waits until the daemon opens it, too, which has read the certificate by then.
        let pipe = fs::OpenOptions::new().write(true).open(&pipe);
        let mut pipe = pipe.expect("it is there");
        for (file, text) in files {
            fs::write(file, text).expect("the folder is ours");
        }
        pipe.write_all(TOKEN_KEY.as_bytes()).expect("it is read");
    });
    let daemon = Daemon::run_in(Rc::clone(&folder));
    renewal.join().expect("no panic");
    await_metric(
        &daemon,
        r#"stoa_certificate_reloads_total{result="success"} 1"#,
    );
    let ca = fs::read_to_string(renewed.file("ca.pem")).expect("it is there");
    let key = fs::read_to_string(folder.file("api-key")).expect("it is there");
    let client = Client::connect(config(&daemon, &ca, &key)).await;
    assert_eq!(list(&client.expect("the new one is shown")).await, Ok(0));
}
