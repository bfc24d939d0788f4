//! The tester as a process, and what it leaves.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

/// How long a run of a test may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often one looks whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A scenario's text with these lines in it.
pub(crate) fn scenario(lines: &str) -> String {
    format!("about: for a test\nsettle_seconds: 1\n{lines}")
}

/// A tester that runs. It is killed if the test fails.
pub(crate) struct Tester {
    child: Child,
    folder: TempDir,
}

/// What a run left.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
    pub(crate) complained: String,
    /// The report, if there is one.
    pub(crate) report: Option<Value>,
    pub(crate) page: Option<String>,
}

impl Tester {
    /// Runs a scenario, by its text.
    pub(crate) fn run(scenario: &str, arguments: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("scenario.yaml"), scenario).expect("the folder is ours");
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoa-load"));
        command
            .arg("run")
            .arg(file("scenario.yaml"))
            .args(arguments);
        command
            .arg("--json")
            .arg(file("report.json"))
            .arg("--html")
            .arg(file("report.html"));
        Self::start(&mut command, folder)
    }

    /// Runs any other command.
    pub(crate) fn command(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoa-load"));
        Self::start(command.args(arguments), folder)
    }

    fn start(command: &mut Command, folder: TempDir) -> Self {
        let output = |name: &str| File::create(folder.path().join(name)).expect("a file");
        let child = command
            .env_remove("STOA_CA_FILE")
            .env_remove("STOA_API_KEY_FILE")
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"))
            .spawn()
            .expect("the tester is built");
        Self { child, folder }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, signal).expect("it runs");
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Run {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "the tester does not end");
            // bounded: by PATIENCE
            std::thread::sleep(LOOK);
        };
        let read = |name: &str| {
            let path: PathBuf = self.folder.path().join(name);
            std::fs::read_to_string(path).ok()
        };
        let report = read("report.json");
        Run {
            status,
            said: read("stdout").expect("it is there"),
            complained: read("stderr").expect("it is there"),
            report: report.map(|text| serde_json::from_str(&text).expect("JSON")),
            page: read("report.html"),
        }
    }
}

impl Drop for Tester {
    fn drop(&mut self) {
        // Fails where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The report of a run that was played to its end. Whether the tester was in time is for the machine to say.
#[track_caller]
pub(crate) fn ended(run: &Run) -> &Value {
    let code = run.status.code();
    assert!(
        matches!(code, Some(0 | 3)),
        "{code:?}\n{}\n{}",
        run.said,
        run.complained
    );
    let report = run.report.as_ref().expect("a report");
    assert_eq!(report["complete"], true, "{}", run.said);
    report
}

/// The complaint of a run that ended with this code.
#[track_caller]
pub(crate) fn failed(run: &Run, code: i32) -> &str {
    let (said, complained) = (&run.said, &run.complained);
    assert_eq!(run.status.code(), Some(code), "{said}\n{complained}");
    complained
}
