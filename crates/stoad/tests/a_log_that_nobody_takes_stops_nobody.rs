//! Standard error on a full disk, a closed pipe, and a pipe that nobody reads: the daemon serves, counts the lines that
//! are lost, and ends when it is asked to.

mod support;

use std::{
    fs::OpenOptions,
    io::{Read as _, Write as _, pipe},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use support::{Folder, configuration};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked again.
const POLL: Duration = Duration::from_millis(5);

struct Silent {
    child: Child,
    ops: SocketAddr,
    _folder: Folder,
}

impl Silent {
    /// A daemon that cannot say where it listens. So its ops port is at an address that is nobody else's: one of the
    /// loopback network, by the number of this process and of the case.
    fn start(case: u8, log: Stdio) -> Self {
        let [.., high, low] = std::process::id().to_be_bytes();
        let ops = SocketAddr::from(([127, 70 + case, high, low], 9_464));
        let folder = Folder::with_credentials();
        // Addresses in full, since libraries say little otherwise.
        let text = format!(
            "{}ops:\n  listen: ['{ops}']\nlog:\n  client_addresses: full\n",
            configuration()
        );
        folder.write("stoad.yaml", &text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoad"));
        command.args(["run", "--config"]);
        command.arg(folder.file("stoad.yaml"));
        // Everything that any part has to say.
        command.env("RUST_LOG", "trace").stdout(Stdio::null());
        let child = command.stderr(log).spawn().expect("it starts");
        Self {
            child,
            ops,
            _folder: folder,
        }
    }

    /// What it answers, if it does so in time.
    fn metrics(&self) -> Option<String> {
        let mut stream = TcpStream::connect(self.ops).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let request = b"GET /metrics HTTP/1.1\r\nHost: stoad\r\nConnection: close\r\n\r\n";
        stream.write_all(request).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// What it has counted, once it answers.
    fn lost(&self) -> Option<u64> {
        let metrics = self.metrics()?;
        let mut values = metrics
            .lines()
            .filter_map(|line| line.strip_prefix("stoa_log_lines_lost_total "));
        values.next()?.parse().ok()
    }

    /// Expects that it serves, that it has lost at least so many lines, and that it ends well.
    #[track_caller]
    fn goes_on(mut self, lost: u64) {
        let began = Instant::now();
        while self.lost().is_none_or(|counted| counted < lost) {
            let ended = self.child.try_wait().expect("it is ours");
            assert_eq!(ended, None, "it ended by itself");
            assert!(began.elapsed() < PATIENCE, "it loses nothing or is stuck");
            // bounded: by PATIENCE
            thread::sleep(POLL);
        }
        // Each has lines of its own to be written.
        for _ in 0..10 {
            assert!(self.metrics().is_some(), "it serves on");
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it is ours");
        let ended = self.end();
        assert_eq!(ended.and_then(|status| status.code()), Some(0), "{ended:?}");
    }

    fn end(&mut self) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return Some(status);
            }
            // bounded: by PATIENCE
            thread::sleep(POLL);
        }
        None
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn on_a_full_disk() {
    let full = OpenOptions::new().write(true).open("/dev/full");
    Silent::start(0, full.expect("Linux has it").into()).goes_on(10);
}

#[test]
fn in_a_closed_pipe() {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    Silent::start(1, writer.into()).goes_on(10);
}

#[test]
fn in_a_pipe_that_nobody_reads() {
    let (reader, mut writer) = pipe().expect("a pipe");
    // Full from the first line on.
    let flags = rustix::fs::OFlags::NONBLOCK;
    rustix::fs::fcntl_setfl(&writer, flags).expect("a flag");
    while writer.write(&[b'.'; 4_096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).expect("a flag");
    // How many are lost when more wait than may, `logging/lines.rs` tests.
    Silent::start(2, writer.into()).goes_on(0);
    drop(reader);
}

#[test]
fn a_failure_to_start_ends_with_its_code_all_the_same() {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoad"));
    command.args(["run", "--config", "/nowhere/stoad.yaml"]);
    let ended = command.stderr(writer).status().expect("it starts");
    assert!(matches!(ended.code(), Some(66 | 78)), "{ended}");
}
