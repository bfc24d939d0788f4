//! A service manager that asks (`sd_notify`) hears that the node is ready, lives, reloads, drains and ends; and who is in a
//! room may go on for the grace. It does not hear that the node lives while a media worker has stalled; nor do probes. One that
//! does not listen keeps nothing up.

mod support;

use std::{
    fs,
    io::Write as _,
    os::unix::net::UnixDatagram,
    path::Path,
    rc::Rc,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        ptrace,
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};
use stoa_client::{
    Client, reason,
    v1::{
        CloseRoomRequest, CreateRoomRequest, ErrorReason, GetStatusRequest, ListRoomsRequest,
        RemoveParticipantRequest,
    },
};
use support::{Daemon, Folder, Play, configuration, create_room, join_request, with_ops};
use tonic::Request;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often the manager wants to hear that the node lives.
const WATCHDOG: Duration = Duration::from_millis(200);

const OPS_KEY: &str = "an-ops-key-for-tests-alone";

/// Listens all the time, as systemd does: what it is told could be dropped otherwise.
struct Manager(Receiver<String>);

impl Manager {
    /// A manager, and a daemon with this configuration that was told of it.
    fn start(text: &str) -> (Self, Daemon) {
        let folder = Folder::with_credentials();
        folder.write("stoad.yaml", text);
        let path = folder.file("notify");
        let socket = UnixDatagram::bind(&path).expect("the folder is ours");
        let (hear, heard) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(length) = socket.recv(&mut buffer) {
                let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if hear.send(said).is_err() {
                    return;
                }
            }
        });
        let daemon = Daemon::run_managed(Rc::new(folder), &path, WATCHDOG);
        (Self(heard), daemon)
    }

    /// Waits until something is said that has `part` in it.
    #[track_caller]
    fn hears(&self, part: &str) {
        let until = Instant::now() + PATIENCE;
        let mut all = String::new();
        while let Ok(said) = self
            .0
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if said.contains(part) {
                return;
            }
            all += &said;
        }
        panic!("{part} was not said:\n{all}");
    }

    /// Expects that nothing is said for five times as long as it may take, but for what was said until now.
    #[track_caller]
    fn hears_nothing(&self) {
        self.0.try_iter().for_each(drop);
        let heard = self.0.recv_timeout(5 * WATCHDOG);
        assert_eq!(heard, Err(RecvTimeoutError::Timeout));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_of_every_state_and_waits_for_those_who_are_in_a_room() {
    let grace = "drain:\n  grace_seconds: 600\n";
    let (manager, mut daemon) = Manager::start(&(configuration() + grace));
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");

    let client = daemon.client().await;
    create_room(&client, "hall").await.expect("a new room");
    let join = join_request("hall", "ann");
    client.rooms().join(join).await.expect("she is let in");

    daemon.hang_up();
    // In one message, as `Type=notify-reload` wants it.
    manager.hears("RELOADING=1\nMONOTONIC_USEC=");
    manager.hears("READY=1");
    daemon.terminate();
    manager.hears("STOPPING=1");
    manager.hears("1 participants are left");
    // Again: it goes on as long as she is there.
    manager.hears("1 participants are left");
    let remove = RemoveParticipantRequest {
        room_id: "hall".into(),
        participant_id: "ann".into(),
        ..Default::default()
    };
    client
        .rooms()
        .remove_participant(remove)
        .await
        .expect("the API is there while it drains");
    // Long before the grace.
    let ended = daemon.wait(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", daemon.log());
}

/// Sends to this socket until it has no room, whoever sends.
fn fill(path: &Path) {
    loop {
        // Each has a limit of its own, which is not what is meant.
        let sender = UnixDatagram::unbound().expect("a socket");
        sender.set_nonblocking(true).expect("a flag");
        let mut sent = 0;
        while sender.send_to(b"FILLED=1\n", path).is_ok() {
            sent += 1;
        }
        if sent == 0 {
            return;
        }
    }
}

#[test]
fn a_manager_that_does_not_listen_stops_nobody() {
    let folder = Folder::with_credentials();
    folder.write("stoad.yaml", &configuration());
    let path = folder.file("notify");
    let socket = UnixDatagram::bind(&path).expect("the folder is ours");
    fill(&path);
    let mut daemon = Daemon::run_managed(Rc::new(folder), &path, WATCHDOG);
    // That it is ready is said until it is heard; when it is full again, nothing else is.
    socket.set_read_timeout(Some(PATIENCE)).expect("a time");
    let mut buffer = [0; 1024];
    let began = Instant::now();
    loop {
        let length = socket.recv(&mut buffer).expect("it is said in time");
        if buffer[..length].starts_with(b"READY=1\n") {
            break;
        }
        // Other words are there all the time.
        assert!(began.elapsed() < PATIENCE, "{}", daemon.log());
    }
    fill(&path);
    let untold = |line: &str| line.contains("cannot tell systemd");
    assert!(daemon.finds(PATIENCE, untold), "{}", daemon.log());
    // What is told at the end, too, is not waited for.
    daemon.terminate();
    let ended = daemon.wait(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", daemon.log());
}

/// A thread of a daemon that stands still until this is dropped.
struct Standstill(Pid);

impl Standstill {
    /// Stops the thread of this name, as a debugger would. `None`, said aloud, where the system forbids that.
    fn of(daemon: &Daemon, name: &str) -> Option<Self> {
        let threads = format!("/proc/{}/task", daemon.id());
        let mut threads = fs::read_dir(threads).expect("it runs").flatten();
        let is_it = |thread: &fs::DirEntry| {
            let comm = fs::read_to_string(thread.path().join("comm"));
            comm.is_ok_and(|comm| comm.trim() == name)
        };
        let thread = threads.find(is_it).expect("it has such a thread");
        let id = thread.file_name().into_string().expect("a number");
        let id = Pid::from_raw(id.parse().expect("a number"));
        match ptrace::seize(id, ptrace::Options::empty()) {
            Err(Errno::EPERM) => {
                // Past what the harness holds back of tests that pass.
                let said = std::io::stderr().write_all(
                    b"SKIPPED: no thread may be stopped here (ptrace), so none stalls\n",
                );
                said.expect("standard error is open");
                return None;
            }
            seized => seized.expect("a thread of a child's"),
        }
        ptrace::interrupt(id).expect("it is seized");
        waitpid(id, Some(WaitPidFlag::__WALL)).expect("it stops");
        Some(Self(id))
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = ptrace::detach(self.0, None);
    }
}

/// The only room, once somebody has been connected in it.
async fn their_room(daemon: &Daemon, client: &Client) -> String {
    loop {
        let rooms = client.rooms().list_rooms(ListRoomsRequest::default()).await;
        let rooms = rooms.expect("a page").into_inner().rooms;
        if let [room] = &rooms[..]
            && sample(
                daemon,
                "stoa_participants{role=\"speaker\",state=\"connected\"}",
            ) == 3.0
        {
            return room.room_id.clone();
        }
        // bounded: by the scenario, after which the room is gone and the test fails
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// With which worker a room is at home.
fn home(daemon: &Daemon, room: &str) -> usize {
    let path = format!("/debug/rooms/{room}");
    let (code, body) = daemon.ask_ops("GET", &path, Some(OPS_KEY));
    assert_eq!(code, 200, "{body}");
    let (_, home) = body.split_once("\"home_worker\":").expect("it has one");
    match home.chars().next() {
        Some('0') => 0,
        Some('1') => 1,
        _ => panic!("{body}"),
    }
}

/// What one of the node's metrics reads.
fn sample(daemon: &Daemon, name: &str) -> f64 {
    let (_, text) = daemon.ask_ops("GET", "/metrics", None);
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.expect("it is there").trim();
    value.parse().expect("a number")
}

async fn port_of(client: &Client, worker: usize) -> u32 {
    let status = client.node().get_status(GetStatusRequest {}).await;
    status.expect("a status").into_inner().workers[worker].port
}

/// Makes a room within this time, or tells why not.
async fn create_in(
    client: &Client,
    room: &str,
    within: Duration,
) -> Result<(), Option<ErrorReason>> {
    let mut request = Request::new(CreateRoomRequest {
        room_id: room.into(),
        ..Default::default()
    });
    request.set_timeout(within);
    let created = client.rooms().create_room(request).await;
    created.map(drop).map_err(|status| reason(&status))
}

/// Waits until the probe fails, and returns what it says. By then the metric has to have said it.
async fn until_dead(daemon: &Daemon, worker: usize) -> String {
    let silent = |worker| format!("stoa_worker_silent_seconds{{worker=\"{worker}\"}}");
    let began = Instant::now();
    loop {
        let seconds = sample(daemon, &silent(worker));
        let (code, body) = daemon.ask_ops("GET", "/livez", None);
        if code == 503 {
            assert!(seconds > 9.5, "{seconds}: it is told before it fails");
            let other = sample(daemon, &silent(1 - worker));
            assert!(other < 3.0, "{other}: no other one is silent");
            return body;
        }
        assert!(seconds < 10.5 && began.elapsed() < PATIENCE, "{seconds}");
        // bounded: by PATIENCE
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Three who talk all the time, to each other: for as long as the other worker stands still.
const TALK: &str = "\
about: three who talk all the time
seconds: 11
settle_seconds: 1
groups:
  - {name: people, count: 3, role: speaker, talk: always}
";

/// How long a caller waits who asks a worker that stands still.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stalls_is_seen_and_the_other_goes_on() {
    let text = with_ops(OPS_KEY).replace("workers: 1", "workers: 2");
    let (manager, daemon) = Manager::start(&text);
    let client = daemon.client().await;
    let talking = Play::begin(&daemon, TALK, &["--verify", "1/1"]);
    let home = home(&daemon, &their_room(&daemon, &client).await);
    let stalled = 1 - home;

    let Some(standstill) = Standstill::of(&daemon, &format!("media-{stalled}")) else {
        return;
    };
    // A caller of one of its rooms is told at their deadline, and one of the other's at once.
    let (mut of_stalled, mut of_other) = (0, 0);
    while of_stalled == 0 || of_other == 0 {
        let room = format!("room-{}", of_stalled + of_other);
        match create_in(&client, &room, SHORT).await {
            Ok(()) => of_other += 1,
            Err(refused) => {
                assert_eq!(refused, Some(ErrorReason::DeadlinePassed));
                of_stalled += 1;
            }
        }
    }
    assert_eq!(daemon.ask_ops("GET", "/livez", None).0, 200, "not yet");
    let reasons = until_dead(&daemon, stalled).await;
    let port = port_of(&client, stalled).await;
    let stalled_at = format!("the media worker at port {port} has stalled");
    assert!(reasons.contains(&stalled_at), "{reasons}");
    assert_eq!(reasons.matches("has stalled").count(), 1, "{reasons}");
    assert_eq!(daemon.ask_ops("GET", "/readyz", None).0, 503);
    manager.hears_nothing();

    drop(standstill);
    // One that is said from now on.
    manager.hears("WATCHDOG=1");
    assert_eq!(daemon.ask_ops("GET", "/livez", None).0, 200);
    // What was asked meanwhile and given up may be done now; every room can be had again.
    for number in 0..of_stalled + of_other {
        let close = CloseRoomRequest {
            room_id: format!("room-{number}"),
        };
        let closed = client.rooms().close_room(close).await;
        let gone = closed.map(drop).map_err(|status| reason(&status));
        assert!(
            gone.is_ok() || gone == Err(Some(ErrorReason::RoomNotFound)),
            "{gone:?}"
        );
    }

    talking.ends_without_loss(3);
}
