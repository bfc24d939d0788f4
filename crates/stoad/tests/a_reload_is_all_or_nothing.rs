//! SIGHUP: the whole of a good configuration is applied, nothing of a bad one; certificates whose files change are shown
//! without it, and connections that are there live on.

mod support;

use std::{
    fs,
    rc::Rc,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use stoa_client::{
    Client, ClientConfig, Credential, TrustAnchors, reason,
    v1::{ErrorReason, ListRoomsRequest, WatchRequest},
};
use support::{Daemon, Folder, configuration, connect, create_room};

/// How long anything may take: the files of the certificates are looked at every five seconds.
const PATIENCE: Duration = Duration::from_secs(30);

const NEW_KEY: &str = "another-key-for-tests-alone";

fn hash(key: &str) -> String {
    let sha256 = Sha256::digest(key.as_bytes());
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
        Credential::ApiKey(key.to_owned()),
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
