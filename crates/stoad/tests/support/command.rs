//! Child processes that never outlive their test.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::capture::Capture;

/// How often a child is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);
/// How long a child's last words may take after its end.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(5);

/// A child in a process group of its own, so that its own children end with it.
pub(super) struct Running {
    child: Child,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Self {
        let piped = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match piped.process_group(0).spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot start {command:?}: {error}"),
        };
        let (stdout, stderr) = (Capture::default(), Capture::default());
        stdout.read(child.stdout.take().expect("it is piped"));
        stderr.read(child.stderr.take().expect("it is piped"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn signal(&self, signal: Signal) {
        // Failing means that it has ended.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Its status, if it ends in time.
    pub(super) fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            // bounded: by the deadline above
            thread::sleep(POLL);
        }
    }

    /// All that it said, errors last.
    pub(super) fn output(&self) -> String {
        let stdout = self.stdout.text_to_the_end(LAST_WORDS);
        let stderr = self.stderr.text_to_the_end(LAST_WORDS);
        format!("--- standard output\n{stdout}\n--- standard error\n{stderr}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// How a daemon ended that was to end by itself.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it complained of.
    pub(crate) stderr: String,
}

/// Runs the daemon with a command line that ends by itself.
#[track_caller]
pub(crate) fn stoad<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ended {
    stoad_with(&[], arguments)
}

/// The same, with variables in its environment.
#[track_caller]
pub(crate) fn stoad_with<A: AsRef<OsStr>>(
    variables: &[(&str, &str)],
    arguments: impl IntoIterator<Item = A>,
) -> Ended {
    const BOUND: Duration = Duration::from_secs(20);
    let mut command = super::daemon::command();
    command.args(arguments).envs(variables.iter().copied());
    let mut running = Running::start(&mut command);
    let Some(status) = running.wait(BOUND) else {
        panic!("did not end within {BOUND:?}\n{}", running.stderr.text());
    };
    Ended {
        code: status.code(),
        stdout: running.stdout.text_to_the_end(LAST_WORDS),
        stderr: running.stderr.text_to_the_end(LAST_WORDS),
    }
}
