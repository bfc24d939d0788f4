//! The ops port of a real daemon: probes, metrics that promtool accepts, draining and taking that back.

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use stoa_client::v1::{ErrorReason, GetRoomRequest, GetStatusRequest};
use support::{Daemon, Play, create_room};

const OPS_KEY: &str = "an-ops-key-for-tests-alone";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_what_the_catalogue_says_and_promtool_accepts_them() {
    let daemon = Daemon::with_ops(OPS_KEY);
    let client = daemon.client().await;
    create_room(&client, "hall").await.expect("a new room");
    let missing = GetRoomRequest {
        room_id: "nowhere".into(),
    };
    client
        .rooms()
        .get_room(missing)
        .await
        .expect_err("there is none");

    let (code, text) = daemon.ask_ops("GET", "/metrics", None);
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
    let daemon = Daemon::with_ops(OPS_KEY);
    let client = daemon.client().await;
    assert_eq!(daemon.ask_ops("GET", "/livez", None).0, 200);
    // A node is ready when its media workers have begun, and says so until then.
    while daemon.ask_ops("GET", "/readyz", None).0 != 200 {
        tokio::task::yield_now().await;
    }
    for key in [None, Some("another"), Some("")] {
        assert_eq!(daemon.ask_ops("POST", "/drain", key).0, 401, "{key:?}");
    }
    assert_eq!(daemon.ask_ops("GET", "/drain", Some(OPS_KEY)).0, 405);
    for (wrong, says) in [
        ("deadline_seconds=0", "must be 1 to 604800"),
        ("deadline_seconds=604801", "must be 1 to 604800"),
        ("deadline_seconds=soon", "invalid digit"),
        ("deadline=60", "unknown field `deadline`"),
    ] {
        let (code, body) = daemon.ask_ops("POST", &format!("/drain?{wrong}"), Some(OPS_KEY));
        assert!(code == 400 && body.contains(says), "{wrong}: {code} {body}");
    }
    create_room(&client, "before")
        .await
        .expect("nothing was drained");

    assert_eq!(daemon.ask_ops("POST", "/drain", Some(OPS_KEY)).0, 200);
    let (code, body) = daemon.ask_ops("GET", "/readyz", None);
    assert_eq!(code, 503);
    assert!(body.contains("the node is draining"), "{body}");
    assert_eq!(
        daemon.ask_ops("GET", "/livez", None).0,
        200,
        "a restart mends nothing"
    );
    let refused = create_room(&client, "during").await;
    assert_eq!(refused, Err(Some(ErrorReason::NodeDraining)));
    let kept = GetRoomRequest {
        room_id: "before".into(),
    };
    client.rooms().get_room(kept).await.expect("it goes on");

    assert_eq!(daemon.ask_ops("POST", "/undrain", None).0, 401);
    assert_eq!(daemon.ask_ops("POST", "/undrain", Some(OPS_KEY)).0, 200);
    assert_eq!(daemon.ask_ops("GET", "/readyz", None).0, 200);
    create_room(&client, "after")
        .await
        .expect("everything is taken again");

    let deadline = async || {
        let status = client.node().get_status(GetStatusRequest {}).await;
        status.expect("it is there").into_inner().drain_deadline
    };
    let path = "/drain?deadline_seconds=3600";
    assert_eq!(daemon.ask_ops("POST", path, None).0, 401);
    assert_eq!(deadline().await, None);
    assert_eq!(daemon.ask_ops("POST", path, Some(OPS_KEY)).0, 200);
    assert!(deadline().await.is_some(), "callers know it");
    assert_eq!(daemon.ask_ops("POST", "/undrain", Some(OPS_KEY)).0, 200);
    assert_eq!(deadline().await, None, "it is called off");
    assert_eq!(daemon.ask_ops("GET", "/other", None).0, 404);
}

#[test]
fn without_descriptors_it_waits_and_does_not_spin() {
    let daemon = Daemon::with_ops(OPS_KEY);
    let pid = Pid::from_raw(daemon.id().cast_signed()).expect("not 0");
    let before = getrlimit_of(pid);
    let open = fs::read_dir(format!("/proc/{}/fd", daemon.id())).expect("it is ours");
    let few = Rlimit {
        current: Some(open.count() as u64),
        ..before
    };
    prlimit(Some(pid), Resource::Nofile, few).expect("a child of ours");
    // The kernel takes it in; the daemon has no descriptor for it.
    let mut waiting = TcpStream::connect(daemon.ops()).expect("room in the backlog");
    waiting
        .write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .expect("room to send");
    let told = Duration::from_secs(10);
    assert!(
        daemon.finds(told, |line| line.contains("could not be accepted")),
        "it is told of"
    );
    let ticks = busy_ticks(daemon.id());
    // bounded: as long as it takes to see whether it spins
    std::thread::sleep(Duration::from_millis(500));
    let ticks = busy_ticks(daemon.id()) - ticks;
    assert!(ticks < 25, "{ticks} hundredths of a second in half of one");
    prlimit(Some(pid), Resource::Nofile, before).expect("a child of ours");
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).expect("it is answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Three who talk all the time, to each other.
const TALK: &str = "\
about: three who talk all the time
seconds: 5
settle_seconds: 1
groups:
  - {name: people, count: 3, role: speaker, talk: always}
";

#[test]
fn without_descriptors_people_talk_on_and_calls_come_back() {
    let daemon = Daemon::with_ops(OPS_KEY);
    let talking = Play::begin(&daemon, TALK, &["--verify", "1/1"]);
    // As Prometheus does, by a connection that it has already.
    let mut scrapes = Scrapes::of(&daemon);
    let speakers = "stoa_participants{role=\"speaker\",state=\"connected\"}";
    while scrapes.sample(speakers) != Some(3.0) {
        assert!(!talking.is_over(), "nobody came in");
        std::thread::yield_now();
    }
    let share = |scrapes: &mut Scrapes| {
        let [open, most] = ["process_open_fds", "process_max_fds"].map(|name| scrapes.sample(name));
        open.zip(most).map(|(open, most)| open / most)
    };
    assert!(share(&mut scrapes).expect("there are some left") < 0.8);

    let pid = Pid::from_raw(daemon.id().cast_signed()).expect("not 0");
    let before = getrlimit_of(pid);
    let open = fs::read_dir(format!("/proc/{}/fd", daemon.id())).expect("it is ours");
    let few = Rlimit {
        // Those that reading the metrics takes, and what makes it four fifths.
        current: Some(open.count() as u64 + 4),
        ..before
    };
    prlimit(Some(pid), Resource::Nofile, few).expect("a child of ours");
    assert!(share(&mut scrapes).expect("there are some left") > 0.8);
    let connect = || TcpStream::connect(daemon.control()).expect("room in the backlog");
    let callers: Vec<_> = (0..10).map(|_| connect()).collect();
    let told = Duration::from_secs(10);
    let accept = |line: &str| line.contains("a connection could not be accepted");
    assert!(daemon.finds(told, accept), "{}", daemon.log());
    let silent = scrapes.sample("stoa_worker_silent_seconds{worker=\"0\"}");
    assert!(silent.is_some_and(|seconds| seconds < 3.0), "{silent:?}");
    assert!(!talking.is_over(), "they are in");

    drop(callers);
    // With no more descriptors than before: those that were closed are there again.
    let connections = "stoa_control_connections";
    while scrapes.sample(connections) != Some(1.0) {
        assert!(!talking.is_over(), "closed connections are kept");
        std::thread::yield_now();
    }
    let _caller = connect();
    while scrapes.sample(connections) != Some(2.0) {
        assert!(!talking.is_over(), "no connection is taken");
        std::thread::yield_now();
    }
    assert_eq!(daemon.ask_ops("GET", "/livez", None).0, 200);

    talking.ends_without_loss(3);
}

/// Reads the metrics again and again by one connection.
struct Scrapes(BufReader<TcpStream>);

impl Scrapes {
    fn of(daemon: &Daemon) -> Self {
        let stream = TcpStream::connect(daemon.ops()).expect("the port is open");
        Self(BufReader::new(stream))
    }

    /// What this reads now, if it is there.
    fn sample(&mut self, name: &str) -> Option<f64> {
        let request = b"GET /metrics HTTP/1.1\r\nHost: stoad\r\n\r\n";
        self.0.get_mut().write_all(request).expect("it reads");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("it answers");
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("all of it");
        let text = String::from_utf8(body).expect("text");
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(value.parse().expect("a number"))
    }
}

fn getrlimit_of(pid: Pid) -> Rlimit {
    let text = fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero()));
    let text = text.expect("it runs");
    let line = text.lines().find(|line| line.starts_with("Max open files"));
    let mut columns = line.expect("it has one").split_ascii_whitespace().skip(3);
    let mut next = || columns.next().and_then(|column| column.parse().ok());
    Rlimit {
        current: next(),
        maximum: next(),
    }
}

/// What the process has used of processors, in hundredths of a second.
fn busy_ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, rest) = text.rsplit_once(')').expect("the name is in parentheses");
    let columns = rest.split_ascii_whitespace().skip(11).take(2);
    columns
        .filter_map(|column| column.parse::<u64>().ok())
        .sum()
}
