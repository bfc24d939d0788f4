//! `stoad rooms`, `participants` and `kick` against a running daemon.

mod support;

use serde_json::Value;
use stoa_client::v1::{GetRoomRequest, JoinRequest, Role};
use support::{Daemon, Ended, create_room, join_request, stoad};

fn call(daemon: &Daemon, what: &[&str]) -> Ended {
    let control = format!("https://{}", daemon.control());
    let (ca, key) = (daemon.ca_file(), daemon.api_key_file());
    let (ca, key) = (ca.display().to_string(), key.display().to_string());
    let reach = ["--target", &control, "--ca", &ca, "--api-key-file", &key];
    stoad(what.iter().chain(&reach))
}

#[track_caller]
fn lines(ended: &Ended) -> Vec<&str> {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.lines().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_seen_and_somebody_is_put_out() {
    let daemon = Daemon::run(&[]);
    let client = daemon.client().await;
    assert_eq!(lines(&call(&daemon, &["rooms"])).len(), 1, "only its head");
    for room in ["hall", "attic"] {
        create_room(&client, room).await.expect("a new room");
    }
    let join = JoinRequest {
        // What is in a name is not for a terminal.
        display_name: "\u{1b}[31mAnn".into(),
        role: Role::Moderator.into(),
        ..join_request("hall", "ann")
    };
    client.rooms().join(join).await.expect("she is let in");

    let rooms = call(&daemon, &["rooms"]);
    let rooms = lines(&rooms);
    assert_eq!(rooms.len(), 3, "{rooms:?}");
    let hall = rooms.iter().find(|line| line.starts_with("hall "));
    let cells: Vec<&str> = hall.expect("it is there").split_whitespace().collect();
    assert_eq!(cells[..4], ["hall", "1", "3", "everyone"]);

    let people = call(&daemon, &["participants", "hall"]);
    let people = lines(&people);
    assert!(people[1].starts_with("ann "), "{people:?}");
    assert!(
        people[1].contains("moderator") && people[1].contains("connecting"),
        "{people:?}"
    );
    assert!(!people[1].contains('\u{1b}'), "{people:?}");
    let people = call(&daemon, &["participants", "hall", "--json"]);
    let ann: Value = serde_json::from_str(lines(&people)[0]).expect("an object a line");
    assert_eq!(
        (ann["role"].as_str(), ann["muted_by_moderator"].as_bool()),
        (Some("moderator"), Some(false))
    );

    let kicked = call(&daemon, &["kick", "hall", "ann"]);
    assert_eq!(kicked.code, Some(0), "{}", kicked.stderr);
    let ask = GetRoomRequest {
        room_id: "hall".into(),
    };
    let hall = client.rooms().get_room(ask).await.expect("it is there");
    assert_eq!(hall.into_inner().participant_count, 0);

    for (what, says) in [
        (&["kick", "hall", "ann"][..], "PARTICIPANT_NOT_FOUND"),
        (&["participants", "nowhere"][..], "ROOM_NOT_FOUND"),
        (&["participants", "not a name"][..], "FIELD_INVALID"),
    ] {
        let ended = call(&daemon, what);
        assert_eq!(ended.code, Some(1), "{what:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{what:?}: {}", ended.stderr);
    }
}

#[test]
fn a_node_that_is_not_there_is_named() {
    let daemon = Daemon::run(&[]);
    let (ca, key) = (daemon.ca_file(), daemon.api_key_file());
    let with = |target: &str, ca: &str, key: &str| {
        let reach = ["--target", target, "--ca", ca, "--api-key-file", key];
        stoad(["rooms"].iter().chain(&reach))
    };
    let (ca, key) = (ca.display().to_string(), key.display().to_string());
    let control = format!("https://{}", daemon.control());
    let wrong_key = daemon.write("wrong-key", "another\n");
    let wrong_key = wrong_key.display().to_string();
    for (target, ca, key, code, says) in [
        ("http://127.0.0.1:1", &*ca, &*key, 69, "http://127.0.0.1:1"),
        (&*control, &*key, &*key, 69, "trust anchors"),
        (&*control, "/nowhere.pem", &*key, 66, "/nowhere.pem"),
        (&*control, &*ca, "/dev/null", 66, "no key on its first line"),
        (&*control, &*ca, &*wrong_key, 1, "CREDENTIAL_INVALID"),
    ] {
        let ended = with(target, ca, key);
        assert_eq!(ended.code, Some(code), "{says}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{says}: {}", ended.stderr);
    }
}
