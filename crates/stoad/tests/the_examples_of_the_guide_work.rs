//! The examples of docs/signalling.md play their story against a daemon, and see of it what the guide says.

mod support;

use std::{net::TcpListener, rc::Rc, time::Duration};

use support::{Beside, Daemon, Folder, configuration, create_room};

#[test]
fn the_examples_of_the_guide_work() {
    let daemon = support::Daemon::dev();
    let said = support::python_example("signalling.py", &daemon, Duration::from_secs(60));
    tells_the_story(&said, "True");
    // "hall" is there already, and as good.
    let said = support::typescript_example(&daemon, Duration::from_secs(60));
    tells_the_story(&said, "true");
}

/// What the watch tells is in the order of what happened; the answers to calls come beside it.
#[track_caller]
fn tells_the_story(said: &str, yes: &str) {
    let (told, answers): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.starts_with("told: "));
    let mut expected = vec![
        "told: room_created",
        "told: participant_joined",
        "told: participant_updated role",
        "told: participant_updated muted_by_moderator",
        "told: participant_left",
    ];
    if yes != "True" {
        // The room was made by the first, and a moderator's mute outlives whoever is muted.
        expected.retain(|told| !told.ends_with("created") && !told.ends_with("muted_by_moderator"));
    }
    assert_eq!(told, expected, "{said}");
    let answered = format!("answered: {yes}, may resume: {yes}");
    let expected = [&*answered, "refused: PARTICIPANT_ALREADY_EXISTS"];
    assert_eq!(answers, expected, "{said}");
}

/// It is killed, so that the watch breaks without a word, and started anew at the same port.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_when_the_node_is_back() {
    const BOUND: Duration = Duration::from_secs(60);
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let control = port.expect("a free port").to_string();
    let folder = Folder::with_credentials();
    folder.write(
        "stoad.yaml",
        &configuration().replace("127.0.0.1:0", &control),
    );
    let folder = Rc::new(folder);
    let daemon = Daemon::run_in(Rc::clone(&folder));
    let following = Beside::start("follow_again.py", &daemon);
    following.says("whole", BOUND);
    daemon.kill();
    let daemon = Daemon::run_in(folder);
    let client = daemon.client().await;
    create_room(&client, "after").await.expect("a new room");
    let said = following.ends(BOUND);
    // It ends only when it is told of the new room: in the snapshot, or after it.
    assert_eq!(said.lines().next(), Some("whole"), "{said}");
}
