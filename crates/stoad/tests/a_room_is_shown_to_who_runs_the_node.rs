//! Whoever has the ops key can look into a room: who is in it and holds its slots, how loud and with what loss;
//! nobody else can. Nothing that the daemon writes meanwhile, however much it is told to write, has a secret in it; nor
//! where somebody is, unless it is told to write that.

mod support;

use std::{fs, time::Duration};

use stoa_client::v1::{GetStatusRequest, ListRoomsRequest};
use stoa_load::Failure;
use support::{Daemon, load_beside};

const OPS_KEY: &str = "an-ops-key-for-tests-alone";

const TALK: &str = "\
about: two who talk all the time, and one who listens
seconds: 12
settle_seconds: 1
groups:
  - {name: people, count: 2, role: speaker, talk: always}
  - {name: audience, count: 1, role: listener}
";

/// What has to stand there sometime while they talk.
const SEEN: [&str; 12] = [
    "\"participant_count\":3",
    "\"participants_shown\":3",
    "\"held_seconds\":",
    "\"role\":\"speaker\"",
    "\"role\":\"listener\"",
    "\"state\":\"connected\"",
    "\"level_dbov\":-",
    "\"transport\":\"udp\"",
    "\"address\":\"127.",
    "\"uplink_loss\":0.0",
    "\"round_trip_seconds\":0.",
    "\"dropped\":{}",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_shown_to_who_runs_the_node() {
    let daemon = Daemon::with_ops_and(OPS_KEY, "log:\n  level: trace\n");
    let client = daemon.client().await;
    let scenario = daemon.file("talk.yaml");
    fs::write(&scenario, TALK).expect("the folder is ours");
    let talking = load_beside(&daemon, scenario, &[]);
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    let room = loop {
        let rooms = client.rooms().list_rooms(ListRoomsRequest::default()).await;
        let rooms = rooms.expect("a page").into_inner().rooms;
        if let [room] = &rooms[..] {
            break room.room_id.clone();
        }
        turn.tick().await;
    };
    let path = format!("/debug/rooms/{room}");
    for key in [None, Some("another")] {
        let (code, body) = daemon.ask_ops("GET", &path, key);
        assert_eq!(code, 401, "{body}");
        assert!(!body.contains("participant"), "{body}");
    }
    let mut missing: Vec<_> = SEEN.to_vec();
    let mut last = String::new();
    while !missing.is_empty() && !talking.is_finished() {
        let (code, body) = daemon.ask_ops("GET", &path, Some(OPS_KEY));
        if code == 200 {
            missing.retain(|part| !body.contains(part));
            last = body;
        }
        turn.tick().await;
    }
    assert_eq!(missing, [""; 0], "in\n{last}");
    // The only tenant need not be named; another one's rooms are not there.
    let own = format!("{path}?tenant=test");
    assert_eq!(daemon.ask_ops("GET", &own, Some(OPS_KEY)).0, 200);
    for nowhere in [
        format!("{path}?tenant=other"),
        "/debug/rooms/nowhere".to_owned(),
    ] {
        assert_eq!(
            daemon.ask_ops("GET", &nowhere, Some(OPS_KEY)).0,
            404,
            "{nowhere}"
        );
    }
    let people: Vec<&str> = last
        .split("\"address\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(people.len(), 3, "in\n{last}");
    let log = daemon.log();
    assert!(log.contains("client=127.0.0.0/24"), "{log}");
    for address in &people {
        let told = log.lines().find(|line| line.contains(address));
        assert_eq!(told, None, "{address} is told");
    }
    // Where it is wanted it is there, so what was looked for is what would have been told.
    let text = fs::read_to_string(daemon.file("stoad.yaml")).expect("it is there");
    let shown = text + "  client_addresses: full\n";
    daemon.write("stoad.yaml", &shown);
    daemon.hang_up();
    while !people.iter().any(|address| daemon.log().contains(address)) {
        assert!(!talking.is_finished(), "nobody's address is told");
        turn.tick().await;
    }
    let status = client.node().get_status(GetStatusRequest {}).await;
    let written = [
        daemon.log(),
        daemon.ask_ops("GET", "/metrics", None).1,
        last,
        format!("{status:?}"),
    ];
    assert!(written[0].contains("TRACE"), "nothing was told in full");
    let key_of_server = fs::read_to_string(daemon.file("server-key.pem")).expect("it is there");
    // The keys of the ops port and of callers, a line of the server's, and how ICE passwords are written.
    let secrets = [
        OPS_KEY,
        "a-key-for-tests-alone",
        key_of_server.lines().nth(1).expect("a line of the key"),
        "ice-pwd",
        "pass:",
    ];
    for text in &written {
        for secret in secrets {
            let told = text.lines().find(|line| line.contains(secret));
            assert_eq!(told, None, "{secret} is told");
        }
    }
    match talking.join().expect("no panic") {
        Ok(()) | Err(Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure}"),
    }
}
