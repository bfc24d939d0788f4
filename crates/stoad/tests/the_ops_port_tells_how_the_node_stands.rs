//! The ops port of a real daemon: probes, metrics that promtool accepts, draining and taking that back.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
};

use sha2::{Digest as _, Sha256};
use stoa_client::{
    Client, ClientConfig, Credential, TrustAnchors, reason,
    v1::{CreateRoomRequest, ErrorReason, GetRoomRequest},
};
use support::Daemon;

const OPS_KEY: &str = "an-ops-key-for-tests-alone";

fn daemon() -> Daemon {
    let sha256 = Sha256::digest(OPS_KEY.as_bytes());
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let ops = format!("ops:\n  listen: ['127.0.0.1:0']\n  key_sha256: {sha256}\n");
    Daemon::run_as(&(support::configuration() + &ops))
}

/// The code and the body of an answer.
fn ask(daemon: &Daemon, method: &str, path: &str, key: Option<&str>) -> (u16, String) {
    let mut stream = TcpStream::connect(daemon.ops()).expect("the port is open");
    let key = key.map(|key| format!("Authorization: Bearer {key}\r\n"));
    let key = key.unwrap_or_default();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: stoad\r\nConnection: close\r\n{key}\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let code = head.split(' ').nth(1).expect("a status line");
    (code.parse().expect("a number"), body.to_owned())
}

async fn client(daemon: &Daemon) -> Client {
    let key = std::fs::read_to_string(daemon.api_key_file()).expect("it is there");
    let config = ClientConfig::new(
        format!("https://{}", daemon.control()),
        TrustAnchors::Pem(std::fs::read(daemon.ca_file()).expect("it is there")),
        Credential::ApiKey(key),
    );
    Client::connect(config).await.expect("it is there")
}

async fn create(client: &Client, room: &str) -> Result<(), Option<ErrorReason>> {
    let request = CreateRoomRequest {
        room_id: room.into(),
        ..Default::default()
    };
    let created = client.rooms().create_room(request).await;
    created.map(drop).map_err(|status| reason(&status))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_what_the_catalogue_says_and_promtool_accepts_them() {
    let daemon = daemon();
    let client = client(&daemon).await;
    create(&client, "hall").await.expect("a new room");
    let missing = GetRoomRequest {
        room_id: "nowhere".into(),
    };
    client
        .rooms()
        .get_room(missing)
        .await
        .expect_err("there is none");

    let (code, text) = ask(&daemon, "GET", "/metrics", None);
    assert_eq!(code, 200);
    for metric in stoa_ops::CATALOGUE {
        let line = format!("# HELP {} {}", metric.name, metric.help);
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let own = families
        .filter(|line| !line.starts_with("process_"))
        .count();
    assert_eq!(
        own,
        stoa_ops::CATALOGUE.len(),
        "more than the catalogue has"
    );
    for line in [
        "stoa_rooms 1",
        r#"stoa_worker_rooms{worker="0"} 1"#,
        r#"stoa_control_refusals_total{reason="ROOM_NOT_FOUND"} 1"#,
        r#"stoa_participants{role="listener",state="connected"} 0"#,
    ] {
        assert!(
            text.lines().any(|has| has == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(!text.contains("hall"), "no room is named");

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there: run `cargo xtask setup`");
    let mut input = promtool.stdin.take().expect("it is piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let judged = promtool.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success() && said.is_empty(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_drained_by_who_has_the_key_and_no_other() {
    let daemon = daemon();
    let client = client(&daemon).await;
    assert_eq!(ask(&daemon, "GET", "/livez", None).0, 200);
    // A node is ready when its media workers have begun, and says so until then.
    while ask(&daemon, "GET", "/readyz", None).0 != 200 {
        tokio::task::yield_now().await;
    }
    for key in [None, Some("another"), Some("")] {
        assert_eq!(ask(&daemon, "POST", "/drain", key).0, 401, "{key:?}");
    }
    assert_eq!(ask(&daemon, "GET", "/drain", Some(OPS_KEY)).0, 405);
    create(&client, "before")
        .await
        .expect("nothing was drained");

    assert_eq!(ask(&daemon, "POST", "/drain", Some(OPS_KEY)).0, 200);
    let (code, body) = ask(&daemon, "GET", "/readyz", None);
    assert_eq!(code, 503);
    assert!(body.contains("the node is draining"), "{body}");
    assert_eq!(
        ask(&daemon, "GET", "/livez", None).0,
        200,
        "a restart mends nothing"
    );
    let refused = create(&client, "during").await;
    assert_eq!(refused, Err(Some(ErrorReason::NodeDraining)));
    let kept = GetRoomRequest {
        room_id: "before".into(),
    };
    client.rooms().get_room(kept).await.expect("it goes on");

    assert_eq!(ask(&daemon, "POST", "/undrain", None).0, 401);
    assert_eq!(ask(&daemon, "POST", "/undrain", Some(OPS_KEY)).0, 200);
    assert_eq!(ask(&daemon, "GET", "/readyz", None).0, 200);
    create(&client, "after")
        .await
        .expect("everything is taken again");
    assert_eq!(ask(&daemon, "GET", "/other", None).0, 404);
}
