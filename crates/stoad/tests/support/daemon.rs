//! The real daemon, as a process, on ports of its own.

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    rc::Rc,
    time::Duration,
};

use rustix::process::Signal;
use stoa_client::Client;

use super::{
    calls::{connect, connect_with},
    command::Running,
    control_group::ControlGroup,
    folder::{Folder, configuration, with_ops, with_whip},
    image::Image,
    network,
};

/// How long the start may take: making certificates on a busy machine included.
const START: Duration = Duration::from_secs(30);
/// How long the end may take before it is taken for stuck.
const END: Duration = Duration::from_secs(20);

/// A running daemon. It ends with the test; its log is printed if the test fails.
pub(crate) struct Daemon {
    running: Running,
    folder: Rc<Folder>,
    control: SocketAddr,
    ops: Option<SocketAddr>,
    page: Option<String>,
    whip: Option<SocketAddr>,
    in_a_network_of_its_own: bool,
}

impl Daemon {
    /// `stoad dev`, the page included, on loopback.
    pub(crate) fn dev() -> Self {
        Self::start_dev(command(), "127.0.0.1")
    }

    /// `stoad dev` in a network namespace of its own, for browsers.
    pub(crate) fn dev_in_a_network_of_its_own() -> Self {
        let mut command = network::in_a_new_one();
        command.arg(PROGRAM);
        let mut daemon = Self::start_dev(undisturbed(command), network::ADDRESS);
        daemon.in_a_network_of_its_own = true;
        daemon
    }

    /// `stoad dev` in an image with a `/tmp`. `None`, said aloud, where the system does not allow that.
    pub(crate) fn dev_in_an_image(image: &Image) -> Option<Self> {
        let mut command = undisturbed(image.command(PROGRAM, true)?);
        command.args(["dev", "--ops", "127.0.0.1:0"]);
        Some(Self::start_dev_in(command, "127.0.0.1", Folder::empty()))
    }

    fn start_dev(mut command: Command, address: &str) -> Self {
        let folder = Folder::empty();
        command.arg("dev").arg("--directory").arg(folder.path());
        Self::start_dev_in(command, address, folder)
    }

    fn start_dev_in(mut command: Command, address: &str, folder: Folder) -> Self {
        command.args(["--page", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        command.args(["--media-port", "0", "--advertise", address]);
        let running = Running::start(&mut command);
        let found = running.stdout.find(START, |line| {
            line.strip_prefix("The control API is at ")?
                .split(',')
                .next()?
                .parse()
                .ok()
        });
        let control = ready(&running, found);
        let page = running.stdout.find(START, |line| {
            // Without the room that it proposes.
            let address = line.trim().split('?').next()?;
            address.starts_with("http://").then(|| address.to_owned())
        });
        Self {
            running,
            folder: Rc::new(folder),
            control,
            ops: None,
            page,
            whip: None,
            in_a_network_of_its_own: false,
        }
    }

    /// `stoad run` with further keys of the section `media`, one a string.
    pub(crate) fn run(media: &[&str]) -> Self {
        let more: String = media.iter().map(|line| format!("  {line}\n")).collect();
        let text = configuration().replace("media:\n", &format!("media:\n{more}"));
        Self::run_as(&text)
    }

    /// `stoad run` with this configuration, in a folder of its own.
    pub(crate) fn run_as(text: &str) -> Self {
        let folder = Folder::with_credentials();
        folder.write("stoad.yaml", text);
        Self::run_in(Rc::new(folder))
    }

    /// The same with variables in its environment.
    pub(crate) fn run_as_with(variables: &[(&str, &str)], text: &str) -> Self {
        let folder = Folder::with_credentials();
        folder.write("stoad.yaml", text);
        Self::run_in_with(variables, Rc::new(folder))
    }

    /// `stoad run` with an ops port that takes this key.
    pub(crate) fn with_ops(key: &str) -> Self {
        Self::with_ops_and(key, "")
    }

    /// The same with further sections.
    pub(crate) fn with_ops_and(key: &str, more: &str) -> Self {
        Self::run_as(&(with_ops(key) + more))
    }

    /// `stoad run` with WHIP and WHEP for pages of this origin, whose tenant has two token keys:
    /// `e` (EdDSA), whose private half is in `token.key`, and `h` (HS256), whose secret is in
    /// `token.secret`.
    pub(crate) fn with_whip(origin: &str) -> Self {
        let folder = Folder::with_credentials();
        let text = with_whip(&folder, origin);
        folder.write("stoad.yaml", &text);
        Self::run_with_whip(Rc::new(folder))
    }

    /// `stoad run` with the configuration in this folder, which has WHIP and WHEP.
    pub(crate) fn run_with_whip(folder: Rc<Folder>) -> Self {
        let mut daemon = Self::run_in(folder);
        let found = daemon.running.stderr.find(START, |line| {
            let (_, rest) = line.split_once("WHIP and WHEP are served")?;
            rest.split_once("address=")?.1.trim().parse().ok()
        });
        daemon.whip = Some(ready(&daemon.running, found));
        daemon
    }

    /// `stoad run` with the configuration in this folder.
    pub(crate) fn run_in(folder: Rc<Folder>) -> Self {
        Self::run_in_with(&[], folder)
    }

    fn run_in_with(variables: &[(&str, &str)], folder: Rc<Folder>) -> Self {
        let mut command = command();
        command.envs(variables.iter().copied());
        Self::run_by(command, folder)
    }

    /// The same, where a service manager wants to hear of it at this socket, every `watchdog` that it lives.
    pub(crate) fn run_managed(folder: Rc<Folder>, socket: &Path, watchdog: Duration) -> Self {
        let mut command = command();
        command.env("NOTIFY_SOCKET", socket);
        command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        Self::run_by(command, folder)
    }

    /// The same where this folder in it is a disk of 256 KiB that this daemon alone sees. `None`, said aloud, where the
    /// system does not allow that.
    pub(crate) fn run_with_a_small_disk(folder: Rc<Folder>, name: &str) -> Option<Self> {
        const MOUNT: &str = "mount -t tmpfs -o size=256k none \"$DISK\" && exec \"$0\" \"$@\"";
        let command = |program: &str| {
            let mut command = Command::new("unshare");
            if !rustix::process::geteuid().is_root() {
                command.args(["--user", "--map-root-user"]);
            }
            command.args(["--mount", "sh", "-c", MOUNT, program]);
            command.env("DISK", folder.file(name));
            undisturbed(command)
        };
        if !command("true")
            .status()
            .is_ok_and(|status| status.success())
        {
            // Past what the harness holds back of tests that pass.
            let said = std::io::stderr()
                .write_all(b"SKIPPED: no disk may be mounted here (unshare), so none is full\n");
            said.expect("standard error is open");
            return None;
        }
        Some(Self::run_by(command(PROGRAM), Rc::clone(&folder)))
    }

    /// `stoad run` in an image, with what is mounted into it. `None`, said aloud, where the system does not allow that.
    pub(crate) fn run_in_an_image(image: &Image) -> Option<Self> {
        let command = undisturbed(image.command(PROGRAM, false)?);
        let file = Path::new("/etc/stoad/stoad.yaml");
        Some(Self::run_file(command, file, Rc::new(Folder::empty())))
    }

    /// The same in this control group.
    pub(crate) fn run_in_group(group: &ControlGroup, folder: Rc<Folder>) -> Self {
        Self::run_by(undisturbed(group.command(PROGRAM)), folder)
    }

    /// The same by a command line that ends with the daemon's program.
    fn run_by(command: Command, folder: Rc<Folder>) -> Self {
        Self::run_file(command, &folder.file("stoad.yaml"), folder)
    }

    fn run_file(mut command: Command, file: &Path, folder: Rc<Folder>) -> Self {
        let running = Running::start(command.args(["run", "--config"]).arg(file));
        let address = |line: &str, of: &str| -> Option<SocketAddr> {
            let (_, rest) = line.split_once(of)?;
            rest.split_once("address=")?.1.trim().parse().ok()
        };
        let found = running
            .stderr
            .find(START, |line| address(line, "the control API is served"));
        let control = ready(&running, found);
        // Told before, if there is one.
        let ops = running
            .stderr
            .find(Duration::ZERO, |line| address(line, "the ops port"));
        Self {
            running,
            folder,
            control,
            ops,
            page: None,
            whip: None,
            in_a_network_of_its_own: false,
        }
    }

    /// Where WHIP and WHEP are.
    pub(crate) fn whip(&self) -> SocketAddr {
        self.whip.expect("only a daemon with WHIP has it")
    }

    /// Whether it says such a line in time, or has.
    pub(crate) fn finds(&self, within: Duration, is_it: impl Fn(&str) -> bool) -> bool {
        let found = |line: &str| is_it(line).then_some(());
        self.running.stderr.find(within, found).is_some()
    }

    /// What it has said until now.
    pub(crate) fn log(&self) -> String {
        self.running.stderr.text()
    }

    /// A file in the daemon's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// Writes a file of the daemon's folder that nobody else may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        self.folder.write(name, text)
    }

    /// Where the control API is.
    pub(crate) fn control(&self) -> SocketAddr {
        self.control
    }

    /// Where the ops port is.
    pub(crate) fn ops(&self) -> SocketAddr {
        self.ops.expect("the configuration has an ops port")
    }

    /// The address of the page; `dev` alone has one.
    pub(crate) fn page(&self) -> &str {
        self.page.as_deref().expect("only `dev` has a page")
    }

    /// The file with the certificate that vouches for the daemon.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.file("ca.pem")
    }

    /// The code and the body of what its ops port answers.
    pub(crate) fn ask_ops(&self, method: &str, path: &str, key: Option<&str>) -> (u16, String) {
        let mut stream = TcpStream::connect(self.ops()).expect("the port is open");
        let key = key.map(|key| format!("Authorization: Bearer {key}\r\n"));
        let key = key.unwrap_or_default();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: stoad\r\nConnection: close\r\n{key}\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let code = head.split(' ').nth(1).expect("a status line");
        (code.parse().expect("a number"), body.to_owned())
    }

    /// A caller with its key.
    pub(crate) async fn client(&self) -> Client {
        connect(&self.folder, self.control()).await
    }

    /// A caller with a join token.
    pub(crate) async fn client_with(&self, token: String) -> Client {
        connect_with(token, &self.folder, self.control()).await
    }

    /// The file with the key for callers.
    pub(crate) fn api_key_file(&self) -> PathBuf {
        self.folder.file("api-key")
    }

    /// The file with the key of the page's administrator; `dev` alone has one.
    pub(super) fn admin_key_file(&self) -> PathBuf {
        self.folder.file("talk-admin-key")
    }

    /// The start of a command line that runs a program in the network where the daemon is.
    pub(super) fn beside(&self, program: impl AsRef<OsStr>) -> Command {
        if !self.in_a_network_of_its_own {
            return Command::new(program);
        }
        let mut command = network::in_that_of(self.id());
        command.arg(program);
        command
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.running.id()
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.running.signal(Signal::TERM);
    }

    /// Asks it to read its configuration again.
    pub(crate) fn hang_up(&self) {
        self.running.signal(Signal::HUP);
    }

    /// Ends it without a word, as a loss of power would.
    pub(crate) fn kill(mut self) {
        self.running.signal(Signal::KILL);
        self.wait(END);
    }

    /// How it ended.
    ///
    /// # Panics
    /// If it does not end in time.
    #[track_caller]
    pub(crate) fn wait(&mut self, within: Duration) -> ExitStatus {
        match self.running.wait(within) {
            Some(status) => status,
            None => panic!("the daemon did not end within {within:?}"),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.terminate();
        let ended = self.running.wait(END);
        if std::thread::panicking() {
            eprintln!("--- the daemon's log\n{}", self.running.stderr.text());
            return;
        }
        // Here, after a test that passed otherwise, so that no test can overlook it.
        assert!(
            ended.is_some(),
            "asked to, the daemon did not end within {END:?}"
        );
    }
}

/// The daemon's program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_stoad");

/// The daemon's program, untouched by the environment of who runs the tests.
pub(super) fn command() -> Command {
    undisturbed(Command::new(PROGRAM))
}

fn undisturbed(mut command: Command) -> Command {
    command.env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

#[track_caller]
fn ready(running: &Running, found: Option<SocketAddr>) -> SocketAddr {
    found.unwrap_or_else(|| {
        let (stdout, stderr) = (running.stdout.text(), running.stderr.text());
        panic!("the daemon was not ready within {START:?}\n{stdout}\n{stderr}");
    })
}
