//! `stoad drain`, as an orchestrator calls it before it ends a node, and `stoad undrain`.

mod support;

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use stoa_client::{
    Client,
    v1::{
        ErrorReason, LeaveReason, RemoveParticipantRequest, WatchRequest, WatchResponse,
        watch_response::Event,
    },
};
use support::{Daemon, create_room, join_request, stoad};
use tonic::Streaming;

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

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A room with somebody in it, and a watch of it.
async fn watched_hall(client: &Client) -> Streaming<WatchResponse> {
    create_room(client, "hall").await.expect("a new room");
    let join = join_request("hall", "ann");
    client.rooms().join(join).await.expect("she is let in");
    let watch = WatchRequest {
        room_id: "hall".into(),
        ..Default::default()
    };
    let watch = client.rooms().watch(watch).await;
    watch.expect("it is there").into_inner()
}

/// What `pick` finds in the next event in which it finds anything.
async fn told<T>(watch: &mut Streaming<WatchResponse>, pick: impl Fn(Event) -> Option<T>) -> T {
    let told = async {
        loop {
            let message = watch.message().await.expect("no error").expect("no end");
            if let Some(found) = message.event.and_then(&pick) {
                return found;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await;
    told.expect("in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_its_deadline_the_node_ends_and_those_who_are_left_know() {
    let mut daemon = daemon();
    let client = daemon.client().await;
    let mut watch = watched_hall(&client).await;
    let draining = tokio::process::Command::new(env!("CARGO_BIN_EXE_stoad"))
        .args(arguments(&daemon, "drain", "ops-key"))
        .args(["--deadline-seconds", "2", "--wait-seconds", "60"])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let deadline = told(&mut watch, |event| match event {
        Event::NodeUpdated(updated) => Some(updated.drain_deadline),
        _ => None,
    });
    assert!(deadline.await.is_some(), "they know when it is");
    let left = told(&mut watch, |event| match event {
        Event::ParticipantLeft(left) => Some(left.reason()),
        _ => None,
    });
    assert_eq!(left.await, LeaveReason::NodeShutdown);
    assert_eq!(daemon.wait(PATIENCE).code(), Some(0));
    let ended = draining.wait_with_output().await.expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success() && said.contains("the deadline is there"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_takes_no_deadline_back() {
    let mut daemon = Daemon::with_ops_and(OPS_KEY, "drain:\n  grace_seconds: 3600\n");
    daemon.write("ops-key", OPS_KEY);
    let client = daemon.client().await;
    let mut watch = watched_hall(&client).await;
    let until = |seconds: &str| {
        let mut drain = arguments(&daemon, "drain", "ops-key");
        drain.extend(["--deadline-seconds", seconds].map(str::to_owned));
        stoad(&drain)
    };
    let began = Instant::now();
    assert_eq!(until("3").code, Some(0));
    let deadline = async |watch: &mut _| {
        let told = told(watch, |event| match event {
            Event::NodeUpdated(updated) => updated.drain_deadline,
            _ => None,
        });
        told.await
    };
    deadline(&mut watch).await;
    daemon.terminate();
    let is_ending = |line: &str| line.contains("asked to end");
    assert!(daemon.finds(PATIENCE, is_ending));
    // A moment passes between what it says and what it does; until then a deadline may be moved.
    let refused = loop {
        let ended = until("3");
        if ended.code == Some(1) {
            break ended;
        }
        assert!(began.elapsed() < PATIENCE, "{}", ended.stderr);
    };
    assert!(refused.stderr.contains("409"), "{}", refused.stderr);
    let ended = stoad(arguments(&daemon, "undrain", "ops-key"));
    assert!(
        ended.code == Some(1) && ended.stderr.contains("409"),
        "{}",
        ended.stderr
    );
    // Not since nobody is left: she has a while to connect.
    let is_over = |line: &str| line.contains("the grace is over");
    assert!(daemon.finds(PATIENCE, is_over));
    assert_eq!(daemon.wait(PATIENCE).code(), Some(0));
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
