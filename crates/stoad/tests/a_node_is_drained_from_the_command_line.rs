//! `stoad drain`, as an orchestrator calls it before it ends a node, and `stoad undrain`.

mod support;

use std::process::Stdio;

use stoa_client::v1::{ErrorReason, RemoveParticipantRequest};
use support::{Daemon, create_room, join_request, stoad};

const OPS_KEY: &str = "an-ops-key-for-tests-alone";

fn daemon() -> Daemon {
    let daemon = Daemon::with_ops(OPS_KEY);
    daemon.write("ops-key", OPS_KEY);
    daemon.write("wrong-key", "another\n");
    daemon.write("no-key", "\n");
    daemon
}

fn arguments(daemon: &Daemon, command: &str, key: &str) -> Vec<String> {
    let key = daemon.file(key).display().to_string();
    let ops = format!("http://{}", daemon.ops());
    [command, "--ops", &ops, "--ops-key-file", &key]
        .map(str::to_owned)
        .to_vec()
}

/// `stoad top` sees the node and who is on it, with the public API and without.
fn is_watched(daemon: &Daemon) {
    let ops = format!("http://{}", daemon.ops());
    let control = format!("https://{}", daemon.control());
    let (ca, key) = (daemon.ca_file(), daemon.api_key_file());
    let (ca, key) = (ca.display().to_string(), key.display().to_string());
    let look = ["top", "--ops", &ops, "--interval", "1"];
    let reach = ["--target", &control, "--ca", &ca, "--api-key-file", &key];
    let ended = stoad(look.iter().chain(&reach).chain(&["--json"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let view: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one object");
    assert_eq!(view["rooms"][0]["room"], "hall", "{view}");
    assert_eq!(view["participants"]["listener"], 1.0, "{view}");
    let busy = view["workers"][0]["busy"].as_f64();
    assert!(
        busy.is_some_and(|busy| (0.0..0.9).contains(&busy)),
        "{view}"
    );
    assert!(view["fitting_listeners"].as_f64().is_some(), "{view}");

    let ended = stoad(look.iter().chain(&["--once"]));
    assert!(
        ended.stdout.contains("more listeners fit"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
    assert!(ended.stdout.contains("listener 1"), "{}", ended.stdout);
    // Its standard output is no terminal here.
    let ended = stoad(["top", "--ops", "http://127.0.0.1:1", "--once"]);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("127.0.0.1:1"),
        "{}",
        ended.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_when_nobody_is_left_and_says_how_many_are_when_the_time_is_over() {
    let daemon = daemon();
    let client = daemon.client().await;
    create_room(&client, "hall").await.expect("a new room");
    let join = join_request("hall", "ann");
    client.rooms().join(join).await.expect("she is let in");
    is_watched(&daemon);

    let mut in_vain = arguments(&daemon, "drain", "ops-key");
    in_vain.extend(["--wait-seconds", "1"].map(str::to_owned));
    let ended = stoad(&in_vain);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("1 participants are left"),
        "{}",
        ended.stderr
    );
    let refused = create_room(&client, "during").await;
    assert_eq!(refused, Err(Some(ErrorReason::NodeDraining)));

    let waiting = tokio::process::Command::new(env!("CARGO_BIN_EXE_stoad"))
        .args(arguments(&daemon, "drain", "ops-key"))
        .args(["--wait-seconds", "60"])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let remove = RemoveParticipantRequest {
        room_id: "hall".into(),
        participant_id: "ann".into(),
        ..Default::default()
    };
    client
        .rooms()
        .remove_participant(remove)
        .await
        .expect("she was there");
    let ended = waiting.wait_with_output().await.expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success() && said.contains("nobody is in a room"),
        "{said}"
    );

    let ended = stoad(arguments(&daemon, "undrain", "ops-key"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    create_room(&client, "after")
        .await
        .expect("everything is taken again");
}

#[test]
fn what_cannot_be_done_is_explained() {
    let daemon = daemon();
    for (key, code, says) in [
        ("wrong-key", 1, "401"),
        ("no-key", 66, "no key on its first line"),
        ("missing-key", 66, "missing-key"),
    ] {
        let ended = stoad(arguments(&daemon, "drain", key));
        assert_eq!(ended.code, Some(code), "{key}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{key}: {}", ended.stderr);
    }
    for url in [
        "https://127.0.0.1:1",
        "http://127.0.0.1:1/drain",
        "127.0.0.1:1",
    ] {
        let mut wrong = arguments(&daemon, "drain", "ops-key");
        wrong[2] = url.to_owned();
        let ended = stoad(&wrong);
        assert_eq!(ended.code, Some(2), "{url}: {}", ended.stderr);
    }
}
