//! A service manager that asks (`sd_notify`) hears that the node is ready, lives, reloads, drains and ends; and who is in a
//! room may go on for the grace.

mod support;

use std::{
    os::unix::net::UnixDatagram,
    process::Stdio,
    time::{Duration, Instant},
};

use stoa_client::v1::RemoveParticipantRequest;
use support::{Folder, configuration, connect, create_room, join_request};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

struct Manager(UnixDatagram);

impl Manager {
    /// Reads until something is said that has `part` in it.
    #[track_caller]
    fn hears(&self, part: &str) {
        let began = Instant::now();
        let mut said = String::new();
        while began.elapsed() < PATIENCE {
            let mut buffer = [0; 1024];
            let length = self.0.recv(&mut buffer).expect("something is said in time");
            said += &String::from_utf8_lossy(&buffer[..length]);
            if said.contains(part) {
                return;
            }
        }
        panic!("{part} was not said:\n{said}");
    }
}

/// Where the control API is, by the log of a daemon that is ready.
fn control_address(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("the control API is served")?;
    let (_, rest) = rest.split_once("address=")?;
    rest.split_whitespace().next().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_of_every_state_and_waits_for_those_who_are_in_a_room() {
    let folder = Folder::with_credentials();
    let grace = "drain:\n  grace_seconds: 600\n";
    folder.write("stoad.yaml", &(configuration() + grace));
    let socket = folder.file("notify");
    let manager = UnixDatagram::bind(&socket).expect("the folder is ours");
    manager.set_read_timeout(Some(PATIENCE)).expect("a time");
    let manager = Manager(manager);
    let log = std::fs::File::create(folder.file("log")).expect("the folder is ours");
    let mut daemon = tokio::process::Command::new(env!("CARGO_BIN_EXE_stoad"))
        .args(["run", "--config"])
        .arg(folder.file("stoad.yaml"))
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "200000")
        .env("RUST_LOG", "info")
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");

    let log = || std::fs::read_to_string(folder.file("log")).expect("it is there");
    let found = async {
        loop {
            match control_address(&log()) {
                Some(address) => return address,
                // bounded: by PATIENCE
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let address = tokio::time::timeout(PATIENCE, found).await;
    let address = address.expect("it says where it listens");
    let client = connect(&folder, address).await;
    create_room(&client, "hall").await.expect("a new room");
    let join = join_request("hall", "ann");
    client.rooms().join(join).await.expect("she is let in");

    let pid = daemon.id().expect("it runs");
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("it is ours");
    // In one message, as `Type=notify-reload` wants it.
    manager.hears("RELOADING=1\nMONOTONIC_USEC=");
    manager.hears("READY=1");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is ours");
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
    let ended = tokio::time::timeout(PATIENCE, daemon.wait()).await;
    let ended = ended
        .expect("it ends long before the grace")
        .expect("it is ours");
    assert!(ended.success(), "{ended}\n{}", log());
}
