//! Scripts in other languages that try the daemon: what they need, and how long they may take.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    command::{LAST_WORDS, Running},
    daemon::Daemon,
    tools,
};

/// How long making the stubs may take.
const STUBS: Duration = Duration::from_secs(60);
/// How long the TypeScript compiler may take, on a machine that does other things as well.
const COMPILER: Duration = Duration::from_secs(120);

/// Runs `tests/python/SCRIPT` against a daemon, with stubs that the stock generator makes.
///
/// # Panics
/// If the script fails or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn python(script: &str, daemon: &Daemon, within: Duration) {
    let stubs = stubs();
    finish(&mut python_command(script, daemon, &stubs), within);
}

/// The same, for a script that has participants in browsers (`tests/browser/peers.mjs`).
///
/// # Panics
/// If the script fails or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn python_with_browsers(script: &str, daemon: &Daemon, within: Duration) {
    let stubs = stubs();
    let mut command = python_command(script, daemon, &stubs);
    command.arg("--node").arg(tools::node());
    command
        .arg("--peers")
        .arg(tests().join("browser").join("peers.mjs"));
    command.arg("--page").arg(daemon.page());
    finish(with_browsers(&mut command), within);
}

/// The same, with the browsers in a network of their own behind a firewall with these rules, a file of
/// `tests/support`.
///
/// # Panics
/// If the script fails or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn python_with_browsers_behind(
    rules: &str,
    script: &str,
    daemon: &Daemon,
    within: Duration,
) {
    let stubs = stubs();
    let mut command = python_command(script, daemon, &stubs);
    command.arg("--node").arg(tools::node());
    command
        .arg("--peers")
        .arg(tests().join("browser").join("peers.mjs"));
    // The daemon's page is on loopback, which is another one there.
    command.args(["--page", "none"]);
    for part in ["behind_a_firewall.sh", rules] {
        let file = tests().join("support").join(part);
        command.arg("--behind").arg(file);
    }
    finish(with_browsers(&mut command), within);
}

/// The same, for a script that enters by WHIP and WHEP, beside browsers whose page is at this port.
///
/// # Panics
/// If the script fails or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn python_with_whip(script: &str, daemon: &Daemon, page_port: u16, within: Duration) {
    let stubs = stubs();
    let mut command = python_command(script, daemon, &stubs);
    command.arg("--whip").arg(daemon.whip().to_string());
    command.arg("--token-key").arg(daemon.file("token.key"));
    command.arg("--node").arg(tools::node());
    command
        .arg("--script")
        .arg(tests().join("browser").join("whip_and_whep.mjs"));
    command.arg("--page-port").arg(page_port.to_string());
    finish(with_browsers(&mut command), within);
}

/// The same, for a script that collects the spans of the daemon at this address.
///
/// # Panics
/// If the script fails or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn python_with_a_collector(
    script: &str,
    daemon: &Daemon,
    collector: SocketAddr,
    within: Duration,
) {
    let stubs = stubs();
    let mut command = python_command(script, daemon, &stubs);
    command.arg("--ops").arg(daemon.ops().to_string());
    command.arg("--collector").arg(collector.to_string());
    finish(&mut command, within);
}

/// Runs `docs/examples/python/SCRIPT` against a daemon with a browser's offer, and returns what it printed.
///
/// # Panics
/// If the script fails or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn python_example(script: &str, daemon: &Daemon, within: Duration) -> String {
    let stubs = stubs();
    let mut command = quiet(daemon.beside(tools::python()));
    command
        .arg(root().join("docs/examples/python").join(script))
        .env("PYTHONPATH", stubs.path());
    finish(with_an_offer(&mut command, daemon), within)
}

/// What every example is told: where the daemon is, its key, and a browser's offer.
fn with_an_offer<'a>(command: &'a mut Command, daemon: &Daemon) -> &'a mut Command {
    command.arg("--control").arg(daemon.control().to_string());
    command.arg("--ca").arg(daemon.ca_file());
    command.arg("--api-key-file").arg(daemon.api_key_file());
    command
        .arg("--offer")
        .arg(root().join("crates/stoa-sim/src/offers/chromium.sdp"))
}

/// The workspace's.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A script of `tests/python` that uses an example of `docs/examples/python`, and that runs while the test goes on.
pub(crate) struct Beside {
    running: Running,
    _stubs: TempDir,
}

impl Beside {
    /// Starts it against a daemon.
    pub(crate) fn start(script: &str, daemon: &Daemon) -> Self {
        let stubs = stubs();
        let examples = root().join("docs/examples/python");
        let mut command = python_command(script, daemon, &stubs);
        let path = env::join_paths([stubs.path(), &examples]).expect("no colons");
        let running = Running::start(command.env("PYTHONPATH", path));
        Self {
            running,
            _stubs: stubs,
        }
    }

    /// Waits until it has said this line.
    ///
    /// # Panics
    /// If it does not in time.
    #[track_caller]
    pub(crate) fn says(&self, line: &str, within: Duration) {
        let said = self
            .running
            .stdout
            .find(within, |said| (said == line).then_some(()));
        let stderr = self.running.stderr.text();
        assert!(
            said.is_some(),
            "{line:?} was not said within {within:?}\n{stderr}"
        );
    }

    /// Waits until it ends well, and returns what it said.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub(crate) fn ends(mut self, within: Duration) -> String {
        let status = self.running.wait(within);
        assert!(
            status.is_some_and(|status| status.success()),
            "{}",
            self.running.output()
        );
        self.running.stdout.text_to_the_end(LAST_WORDS)
    }
}

/// The same of `docs/examples/typescript`: the compiler has to find nothing, and what it has made of it is run.
///
/// # Panics
/// If there is a mistake in the example, if it fails, or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn typescript_example(daemon: &Daemon, within: Duration) -> String {
    let source = root().join("docs/examples/typescript");
    let folder = tempfile::Builder::new()
        .prefix("stoad-typescript-")
        .tempdir();
    let folder = folder.expect("a temporary folder");
    for name in ["signalling.ts", "tsconfig.json", "package.json"] {
        fs::copy(source.join(name), folder.path().join(name)).expect("the folder is ours");
    }
    let modules = folder.path().join("node_modules");
    std::os::unix::fs::symlink(tools::typescript_modules(), &modules).expect("the folder is ours");
    let mut compiler = Command::new(tools::node());
    compiler.arg(modules.join("typescript/bin/tsc"));
    finish(compiler.arg("--project").arg(folder.path()), COMPILER);
    let mut command = daemon.beside(tools::node());
    command.arg(folder.path().join("build/signalling.js"));
    command
        .arg("--protos")
        .arg(root().join("crates/stoa-api/proto"));
    finish(with_an_offer(&mut command, daemon), within)
}

fn python_command(script: &str, daemon: &Daemon, stubs: &TempDir) -> Command {
    let mut command = quiet(daemon.beside(tools::python()));
    command
        .arg(tests().join("python").join(script))
        .env("PYTHONPATH", stubs.path());
    command.arg("--control").arg(daemon.control().to_string());
    command.arg("--ca").arg(daemon.ca_file());
    command.arg("--api-key-file").arg(daemon.api_key_file());
    command.arg("--daemon-pid").arg(daemon.id().to_string());
    command
}

/// Runs `tests/browser/SCRIPT` against the page of a daemon, in the daemon's network.
///
/// # Panics
/// If the script fails or takes too long; its output is in the message.
#[track_caller]
pub(crate) fn node(script: &str, daemon: &Daemon, within: Duration) {
    let mut command = daemon.beside(tools::node());
    command
        .arg(tests().join("browser").join(script))
        .arg(daemon.page())
        .env("STOA_TEST_ADMIN_KEY_FILE", daemon.admin_key_file());
    finish(with_browsers(&mut command), within);
}

/// Tells a script where the browsers are.
fn with_browsers(command: &mut Command) -> &mut Command {
    command
        .env("STOA_TEST_NODE_MODULES", tools::node_modules())
        .env("STOA_TEST_CHROMIUM", tools::chromium())
        .env("STOA_TEST_FIREFOX", tools::firefox())
}

#[track_caller]
fn finish(command: &mut Command, within: Duration) -> String {
    let mut running = Running::start(command);
    match running.wait(within) {
        Some(status) if status.success() => {
            println!("{}", running.output());
            running.stdout.text_to_the_end(LAST_WORDS)
        }
        Some(status) => panic!("{command:?}: {status}\n{}", running.output()),
        None => {
            let (stdout, stderr) = (running.stdout.text(), running.stderr.text());
            panic!("{command:?}: not done within {within:?}\n{stdout}\n{stderr}");
        }
    }
}

fn interpreter() -> Command {
    quiet(Command::new(tools::python()))
}

/// Python that writes nothing beside the sources, and whose words are seen when it says them.
fn quiet(mut command: Command) -> Command {
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    command
}

/// The stubs of the control API, as everybody's generator makes them from the published files.
fn stubs() -> TempDir {
    let folder = tempfile::Builder::new().prefix("stoad-stubs-").tempdir();
    let folder = folder.expect("a temporary folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stoa-api/proto");
    let mut command = interpreter();
    command
        .args(["-m", "grpc_tools.protoc", "--proto_path"])
        .arg(&root);
    command
        .arg("--python_out")
        .arg(folder.path())
        .arg("--grpc_python_out")
        .arg(folder.path());
    let package = root.join("stoa/control/v1");
    let entries = fs::read_dir(&package).expect("the package of the API");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    finish(command.args(files), STUBS);
    folder
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}
