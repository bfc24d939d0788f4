//! An agent as a process.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long anything may take that one waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);

/// What it says of where it listens.
const LISTENS: &str = "listens at ";

/// A key that is long enough.
pub(crate) const KEY: &str = "a key for tests alone, which is long enough";

/// An agent that runs. It is killed at the end of the test.
pub(crate) struct Agent {
    child: Child,
    folder: TempDir,
    address: String,
}

impl Agent {
    /// Starts one with one thread, on a port of loopback that is free, and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let listen = ["--listen", "127.0.0.1:0", "--threads", "1"];
        let tester = Command::new(env!("CARGO_BIN_EXE_stoa-load"));
        let mut agent = Self::spawn(tester, &[&listen, arguments].concat());
        agent.listens();
        agent
    }

    /// Starts one by a command that becomes the tester.
    pub(crate) fn spawn(mut command: Command, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        super::write(&folder.path().join("key"), KEY);
        let said = File::create(folder.path().join("said")).expect("a file");
        let child = command
            .args(["agent", "--key-file"])
            .arg(folder.path().join("key"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(said)
            .spawn()
            .expect("the tester is built");
        Self {
            child,
            folder,
            address: String::new(),
        }
    }

    /// Waits until it listens.
    #[track_caller]
    pub(crate) fn listens(&mut self) {
        let line = self.hear(LISTENS);
        let (_, address) = line.split_once(LISTENS).expect("it is in the line");
        self.address = address.trim_end_matches('.').to_owned();
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// The file with its key.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// Waits until it has said this, and returns the line.
    #[track_caller]
    pub(crate) fn hear(&mut self, part: &str) -> String {
        let began = Instant::now();
        loop {
            let said = fs::read_to_string(self.folder.path().join("said")).expect("it is there");
            let mut whole = said
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            if let Some(line) = whole.find(|line| line.contains(part)) {
                return line.trim_end().to_owned();
            }
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the agent has ended: {ended:?}\n{said}");
            assert!(began.elapsed() < PATIENCE, "{part}\n{said}");
            // bounded: by PATIENCE
            std::thread::sleep(LOOK);
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.child.id().cast_signed());
        kill(process, signal).expect("it runs");
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is our child");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Fails where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The arguments by which a run has its peers there.
pub(crate) fn by(agents: &[&Agent]) -> Vec<String> {
    let addresses: Vec<&str> = agents.iter().map(|agent| agent.address()).collect();
    by_addresses(&addresses.join(","), &agents[0].key())
}

/// The same with another key.
pub(crate) fn by_addresses(addresses: &str, key: &Path) -> Vec<String> {
    let key = key.display().to_string();
    ["--agents", addresses, "--agent-key-file", &key]
        .map(str::to_owned)
        .to_vec()
}
