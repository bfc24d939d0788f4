//! A node that may send a megabit a second takes as many as that is enough for, by what real people in it get, and
//! refuses the next with the reason. Those who are in lose nothing; when somebody leaves, somebody comes.

mod support;

use std::time::Duration;

use stoa_client::{
    Client, reason,
    v1::{
        ErrorReason, GetStatusRequest, JoinRequest, RemoveParticipantRequest, Role, Saturation,
        SaturationLevel,
    },
};
use support::{Daemon, Play, create_room, join_request};

/// Three who talk all the time, to each other.
const TALK: &str = "\
about: three who talk all the time
seconds: 12
settle_seconds: 2
groups:
  - {name: people, count: 3, role: speaker, talk: always}
";

/// More than a megabit is ever enough for.
const MANY: usize = 20;

struct Caller(Client);

impl Caller {
    async fn saturation(&self) -> Saturation {
        let status = self.0.node().get_status(GetStatusRequest {}).await;
        let status = status.expect("a status").into_inner();
        status.saturation.expect("it measures from the beginning")
    }

    /// Lets somebody in, or tells why not.
    async fn join(&self, who: usize) -> Result<(), (Option<ErrorReason>, String)> {
        let request = JoinRequest {
            role: Role::Listener.into(),
            ..join_request("guests", &format!("guest-{who}"))
        };
        let joined = self.0.rooms().join(request).await.map(drop);
        joined.map_err(|status| (reason(&status), status.message().to_owned()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_node_refuses_the_next_and_loses_nothing() {
    // Guests who come for the test alone never connect, and are not to be gone in the middle of it.
    let limits = "capacity:\n  bandwidth_mbit_per_second: 1\n";
    let text =
        support::configuration().replace("media:\n", "media:\n  connect_timeout_seconds: 60\n");
    let before = text.clone() + limits;
    let daemon = Daemon::run_as(&before);
    let caller = Caller(daemon.client().await);
    let created = create_room(&caller.0, "guests").await;
    created.expect("a new room");
    let empty = caller.saturation().await;
    assert_eq!(empty.level(), SaturationLevel::Normal);
    assert!(empty.fitting_listener_count >= 3);

    let talking = Play::begin(&daemon, TALK, &["--verify", "1/1"]);
    // Six streams of fifty packets are more than a quarter of a megabit.
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    let sent = || async {
        let status = caller.0.node().get_status(GetStatusRequest {}).await;
        let workers = status.expect("a status").into_inner().workers;
        workers
            .iter()
            .map(|worker| worker.datagrams_sent)
            .sum::<u64>()
    };
    while sent().await < 1_000 {
        turn.tick().await;
    }
    let taken = caller.saturation().await;
    assert_eq!(taken.limiting_resource, "bandwidth");
    assert!(taken.saturation_ratio > 0.25, "{taken:?}");

    let mut guests = 0;
    let refused = loop {
        match caller.join(guests).await {
            Ok(()) => guests += 1,
            Err(refused) => break refused,
        }
        assert!(guests < MANY, "they were never too many");
    };
    assert_eq!(refused.0, Some(ErrorReason::NodeSaturated), "{refused:?}");
    assert!(refused.1.contains("bandwidth"), "{refused:?}");
    assert_eq!(caller.saturation().await.fitting_listener_count, 0);
    if guests > 0 {
        let leave = RemoveParticipantRequest {
            room_id: "guests".into(),
            participant_id: "guest-0".into(),
            ..RemoveParticipantRequest::default()
        };
        caller
            .0
            .rooms()
            .remove_participant(leave)
            .await
            .expect("they go");
        caller.join(MANY).await.expect("a place is free");
    }
    let again = caller.join(MANY + 1).await.expect_err("and that was all");
    assert_eq!(again.0, Some(ErrorReason::NodeSaturated));

    // It has more memory already than it may by this: nobody comes in, and those who are in talk on.
    daemon.write("stoad.yaml", &(text + "capacity:\n  memory_mib: 1\n"));
    daemon.hang_up();
    while caller.saturation().await.limiting_resource != "memory" {
        assert!(!talking.is_over(), "its memory is not looked at");
        turn.tick().await;
    }
    let full = caller.join(MANY + 1).await.expect_err("no memory is left");
    assert_eq!(full.0, Some(ErrorReason::NodeSaturated), "{full:?}");
    assert!(full.1.contains("memory"), "{full:?}");
    assert!(!talking.is_over(), "they are in");
    daemon.write("stoad.yaml", &before);
    daemon.hang_up();

    talking.ends_without_loss(3);
    // When the three have gone there is room again.
    while caller.saturation().await.fitting_listener_count == 0 {
        turn.tick().await;
    }
    caller.join(MANY + 2).await.expect("there is room");
}
