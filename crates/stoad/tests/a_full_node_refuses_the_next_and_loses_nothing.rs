//! A node that may send a megabit a second takes as many as that is enough for, by what real people in it get, and
//! refuses the next with the reason. Those who are in lose nothing; when somebody leaves, somebody comes.

mod support;

use std::{fs, thread, time::Duration};

use clap::Parser as _;
use stoa_client::{
    Client, ClientConfig, Credential, TrustAnchors, reason,
    v1::{
        CreateRoomRequest, ErrorReason, GetStatusRequest, JoinRequest, RemoveParticipantRequest,
        Role, Saturation, SaturationLevel,
    },
};
use stoa_load::{Arguments, Failure};
use support::Daemon;

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

/// An offer as a browser makes it. Nobody has to be behind it to be let in.
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0\r\na=sendrecv\r\n\
a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n\
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
a=rtpmap:111 opus/48000/2\r\n";

struct Caller(Client);

impl Caller {
    async fn of(daemon: &Daemon) -> Self {
        let key = fs::read_to_string(daemon.api_key_file()).expect("it is there");
        let config = ClientConfig::new(
            format!("https://{}", daemon.control()),
            TrustAnchors::Pem(fs::read(daemon.ca_file()).expect("it is there")),
            Credential::ApiKey(key),
        );
        Self(Client::connect(config).await.expect("it is there"))
    }

    async fn saturation(&self) -> Saturation {
        let status = self.0.node().get_status(GetStatusRequest {}).await;
        let status = status.expect("a status").into_inner();
        status.saturation.expect("it measures from the beginning")
    }

    /// Lets somebody in, or tells why not.
    async fn join(&self, who: usize) -> Result<(), (Option<ErrorReason>, String)> {
        let request = JoinRequest {
            room_id: "guests".into(),
            participant_id: format!("guest-{who}"),
            sdp_offer: OFFER.into(),
            role: Role::Listener.into(),
            ..JoinRequest::default()
        };
        let joined = self.0.rooms().join(request).await.map(drop);
        joined.map_err(|status| (reason(&status), status.message().to_owned()))
    }
}

/// What the three make of it: nothing may be lost.
fn talk(daemon: &Daemon, report: &std::path::Path) -> thread::JoinHandle<Result<(), Failure>> {
    let scenario = daemon.file("talk.yaml");
    fs::write(&scenario, TALK).expect("the folder is ours");
    let text = |path: &std::path::Path| path.to_str().expect("a plain name").to_owned();
    let arguments = [
        "stoa-load".to_owned(),
        "run".to_owned(),
        text(&scenario),
        "--target".to_owned(),
        format!("https://{}", daemon.control()),
        "--ca".to_owned(),
        text(&daemon.ca_file()),
        "--api-key-file".to_owned(),
        text(&daemon.api_key_file()),
        "--verify".to_owned(),
        "1/1".to_owned(),
        "--json".to_owned(),
        text(report),
    ];
    let arguments = Arguments::try_parse_from(arguments).expect("a good command line");
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(stoa_load::run(arguments))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_node_refuses_the_next_and_loses_nothing() {
    // Guests who come for the test alone never connect, and are not to be gone in the middle of it.
    let limits = "capacity:\n  bandwidth_mbit_per_second: 1\n";
    let text =
        support::configuration().replace("media:\n", "media:\n  connect_timeout_seconds: 60\n");
    let daemon = Daemon::run_as(&(text + limits));
    let caller = Caller::of(&daemon).await;
    let create = CreateRoomRequest {
        room_id: "guests".into(),
        ..CreateRoomRequest::default()
    };
    caller
        .0
        .rooms()
        .create_room(create)
        .await
        .expect("a new room");
    let empty = caller.saturation().await;
    assert_eq!(empty.level(), SaturationLevel::Normal);
    assert!(empty.fitting_listener_count >= 3);

    let report = daemon.file("report.json");
    let talking = talk(&daemon, &report);
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

    // Whether this machine was fast enough for the tester's own sake is not what is asked here.
    match talking.join().expect("no panic") {
        Ok(()) | Err(Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure}"),
    }
    let report = fs::read_to_string(&report).expect("a report");
    for part in [
        "\"complete\": true",
        "\"connected\": 3",
        "\"loss_percent\": 0.0",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    // When the three have gone there is room again.
    while caller.saturation().await.fitting_listener_count == 0 {
        turn.tick().await;
    }
    caller.join(MANY + 2).await.expect("there is room");
}
