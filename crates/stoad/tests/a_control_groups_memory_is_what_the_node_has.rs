//! In a control group with a limit of memory the node is as full as that says: with less of it, and another look, nobody
//! comes in any more, and those who are in lose nothing.

mod support;

use std::{fs, rc::Rc, time::Duration};

use stoa_client::{
    Client, reason,
    v1::{ErrorReason, JoinRequest, Role},
};
use support::{ControlGroup, Daemon, Folder, Play, configuration, create_room, join_request};

/// Three who talk all the time, to each other.
const TALK: &str = "\
about: three who talk all the time
seconds: 15
settle_seconds: 2
groups:
  - {name: people, count: 3, role: speaker, talk: always}
";

/// Far more than a node with a handful of people has.
const MUCH: u64 = 1 << 30;

/// The ratio of which much is below, and little above.
const FULL: f64 = 0.3;

/// What the process has in memory, in bytes.
fn resident(daemon: &Daemon) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", daemon.id())).expect("it lives");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.expect("Linux").trim().strip_suffix(" kB");
    kibibytes.expect("in KiB").parse::<u64>().expect("a number") * 1_024
}

/// How much of its memory is taken, by its own account.
fn taken(daemon: &Daemon) -> f64 {
    let (_, text) = daemon.ask_ops("GET", "/metrics", None);
    let ratio = text
        .lines()
        .find_map(|line| line.strip_prefix("stoa_saturation_ratio{resource=\"memory\"} "));
    let ratio = ratio.expect("it knows its limit");
    ratio.parse().expect("a number")
}

async fn join(client: &Client, who: &str) -> Result<(), (Option<ErrorReason>, String)> {
    let request = JoinRequest {
        role: Role::Listener.into(),
        ..join_request("guests", who)
    };
    let joined = client.rooms().join(request).await.map(drop);
    joined.map_err(|status| (reason(&status), status.message().to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_groups_memory_is_what_the_node_has() {
    let Some(group) = ControlGroup::new(MUCH) else {
        return;
    };
    let folder = Rc::new(Folder::with_credentials());
    // Guests who come for the test alone never connect, and are not to be gone in the middle of it.
    let text = configuration().replace("media:\n", "media:\n  connect_timeout_seconds: 60\n")
        + "ops:\n  listen: ['127.0.0.1:0']\n"
        + &format!("capacity:\n  soft_ratio: {FULL}\n  hard_ratio: {FULL}\n");
    folder.write("stoad.yaml", &text);
    let daemon = Daemon::run_in_group(&group, folder);
    let client = daemon.client().await;
    create_room(&client, "guests").await.expect("a new room");
    let talking = Play::begin(&daemon, TALK, &["--verify", "1/1"]);
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    let is_talked = || {
        let (_, text) = daemon.ask_ops("GET", "/metrics", None);
        let sent = text.lines().find_map(|line| {
            let (_, sent) = line
                .strip_prefix("stoa_datagrams_sent_total{")?
                .split_once(' ')?;
            sent.parse::<u64>().ok()
        });
        sent.is_some_and(|sent| sent > 1_000)
    };
    while !is_talked() {
        turn.tick().await;
    }
    let has = resident(&daemon) as f64 / MUCH as f64;
    let said = taken(&daemon);
    assert!((0.3 * has..1.1 * has).contains(&said), "{said} of {has}");
    join(&client, "first").await.expect("there is much");

    // A quarter more than it has: enough for the kernel, and not for the next.
    group.set(resident(&daemon) * 5 / 4);
    daemon.hang_up();
    while taken(&daemon) < FULL {
        assert!(!talking.is_over(), "the limit is not looked at");
        turn.tick().await;
    }
    let refused = join(&client, "second").await.expect_err("there is little");
    assert_eq!(refused.0, Some(ErrorReason::NodeSaturated), "{refused:?}");
    assert!(refused.1.contains("memory"), "{refused:?}");

    group.set(MUCH);
    daemon.hang_up();
    while taken(&daemon) >= FULL {
        assert!(!talking.is_over(), "the limit is not looked at");
        turn.tick().await;
    }
    join(&client, "second").await.expect("there is much again");
    talking.ends_without_loss(3);
}
