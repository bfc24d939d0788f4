//! An upgrade: a node that ends tells its deadline and goes on for everybody until then, so that a signalling service can
//! move its rooms to another node by letting people join there.

mod support;

use std::{fs, time::Duration};

use stoa_client::{
    Client,
    v1::{
        CloseRoomRequest, ErrorReason, GetRoomRequest, GetStatusRequest, NodeState, NodeUpdated,
        WatchRequest, watch_response::Event,
    },
};
use support::{Daemon, configuration, create_room, join_request, load_beside, python_to_another};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test: a node that keeps to its grace ends when nobody is left.
const GRACE: &str = "drain:\n  grace_seconds: 3600\n";

/// One who talks all the time, and 199 who listen.
const HALL: &str = "\
about: one who talks all the time, to a full hall
seconds: 8
settle_seconds: 3
groups:
  - {name: speakers, count: 1, role: speaker, talk: always}
  - {name: listeners, count: 199, role: listener}
";

fn node() -> Daemon {
    Daemon::run_as(&(configuration() + GRACE))
}

/// What a watcher of the room hears of the node, the next time that it hears anything of it.
async fn node_updated(watch: &mut tonic::Streaming<stoa_client::v1::WatchResponse>) -> NodeUpdated {
    let heard = async {
        loop {
            let message = watch.message().await.expect("no error").expect("no end");
            if let Some(Event::NodeUpdated(updated)) = message.event {
                return updated;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard)
        .await
        .expect("in time")
}

/// A signalling service moves the room from a node that is about to end: it lets people in at the other one, then closes
/// the room here.
async fn move_room(from: &Client, to: &Client, people: &[&str]) {
    create_room(to, "hall").await.expect("a new room");
    for who in people {
        let joined = to.rooms().join(join_request("hall", who)).await;
        joined.expect("they are let in at the other node");
    }
    let close = CloseRoomRequest {
        room_id: "hall".into(),
    };
    from.rooms()
        .close_room(close)
        .await
        .expect("it drains, and is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_are_restarted_one_after_the_other_and_the_room_moves() {
    let people = ["ann", "bob"];
    let mut one = node();
    let two = node();
    let at_two = two.client().await;
    let at_one = one.client().await;
    create_room(&at_one, "hall").await.expect("a new room");
    for who in people {
        let joined = at_one.rooms().join(join_request("hall", who)).await;
        joined.expect("they are let in");
    }
    let watch = WatchRequest {
        room_id: "hall".into(),
        ..Default::default()
    };
    let watch = at_one.rooms().watch(watch).await;
    let mut watch = watch.expect("it is there").into_inner();

    one.terminate();
    let told = node_updated(&mut watch).await;
    assert_eq!(told.state(), NodeState::Draining);
    let status = at_one.node().get_status(GetStatusRequest {}).await;
    let status = status.expect("it is there").into_inner();
    assert_eq!(
        (status.state(), status.drain_deadline),
        (told.state(), told.drain_deadline)
    );
    assert!(told.drain_deadline.is_some(), "its end is known");
    let refused = create_room(&at_one, "new").await;
    assert_eq!(refused, Err(Some(ErrorReason::NodeDraining)));
    move_room(&at_one, &at_two, &people).await;
    // Long before its deadline: nobody is left.
    assert_eq!(one.wait(PATIENCE).code(), Some(0));

    // The new version of the first takes the room back, and the second is next.
    let again = node();
    let at_again = again.client().await;
    let mut two = two;
    two.terminate();
    move_room(&at_two, &at_again, &people).await;
    assert_eq!(two.wait(PATIENCE).code(), Some(0));
    let request = GetRoomRequest {
        room_id: "hall".into(),
    };
    let room = at_again.rooms().get_room(request).await;
    let room = room.expect("the room is there").into_inner();
    let ids = room
        .participants
        .iter()
        .map(|one| one.participant_id.as_str());
    assert_eq!(ids.collect::<Vec<_>>(), people);
}

#[test]
fn those_who_talk_hear_each_other_after_the_move() {
    let (mut one, two) = (node(), node());
    python_to_another("moved_call.py", &one, &two, PATIENCE);
    // Long before its deadline: nobody is left.
    assert_eq!(one.wait(PATIENCE).code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_lose_nothing_before_the_deadline() {
    let mut daemon = node();
    let client = daemon.client().await;
    let report = daemon.file("report.json");
    let scenario = daemon.file("hall.yaml");
    fs::write(&scenario, HALL).expect("the folder is ours");
    let written = report.to_str().expect("a plain name");
    let hall = load_beside(&daemon, scenario, &["--json", written]);
    // All are in and hear the speaker: one packet in twenty milliseconds for each.
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    let status = || async {
        let status = client.node().get_status(GetStatusRequest {}).await;
        status.expect("it is there").into_inner()
    };
    while status().await.participant_count < 200 {
        turn.tick().await;
    }
    let sent = |status: &stoa_client::v1::NodeStatus| -> u64 {
        status
            .workers
            .iter()
            .map(|worker| worker.datagrams_sent)
            .sum()
    };
    let before = sent(&status().await);
    while sent(&status().await) < before + 5_000 {
        turn.tick().await;
    }
    daemon.terminate();
    match hall.join().expect("no panic") {
        // Whether this machine was fast enough for the tester's own sake is not what is asked here.
        Ok(()) | Err(stoa_load::Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure}"),
    }
    let report = fs::read_to_string(&report).expect("a report");
    for part in [
        "\"complete\": true",
        "\"connected\": 200",
        "\"loss_percent\": 0.0",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    // When the last of them has gone it ends, and not an hour later.
    assert_eq!(daemon.wait(PATIENCE).code(), Some(0));
}
