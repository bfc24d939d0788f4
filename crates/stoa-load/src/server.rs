//! The server's process: what it uses of the machine, as the system tells, and starting one.

use std::{
    fs::{self, File},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{socket::Place, target::stoa::Address};

/// How long the server may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often one looks whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// The name in the certificate that `stoad dev` makes.
const DEV_SERVER_NAME: &str = "localhost";

/// An address that nobody has (RFC 5737): the way to it begins as every way to others.
const ELSEWHERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 1), 9);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("cannot start {program}: {source}")]
    Program { program: PathBuf, source: io::Error },
    #[error("a folder for the server: {0}")]
    Folder(io::Error),
    #[error(
        "{program} needs its VideoRoom and HTTP parts, and they are in none of the usual folders"
    )]
    NoParts { program: PathBuf },
    #[error("this machine has no address but those of loopback, on which Janus takes no part")]
    NoAddress,
    #[error("{program} did not say within {PATIENCE:?} where it can be called; it said:\n{said}")]
    NotReady { program: PathBuf, said: String },
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Of processors, in user space and in the kernel.
    pub(crate) cpu: Duration,
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
    /// Open descriptors; `None` where it belongs to somebody else.
    pub(crate) descriptors: Option<u64>,
}

/// What a process has used; `None` if there is no such process.
pub(crate) fn usage(pid: u32) -> Option<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    // One that has ended and was not waited for has no memory.
    let memory: u64 = field("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok()?;
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid.cast_signed())).ok()?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
    Some(Usage {
        cpu: clock_gettime(clock).ok()?.into(),
        memory: memory * 1_024,
        descriptors: descriptors.ok().map(|all| all.count() as u64),
    })
}

/// A process in a folder of its own. Both end when it is dropped.
pub(crate) struct Process {
    program: PathBuf,
    folder: TempDir,
    child: Option<Child>,
}

impl Process {
    /// Not started yet.
    ///
    /// # Errors
    /// [`StartError::Folder`].
    pub(crate) fn new(program: &Path) -> Result<Self, StartError> {
        let folder = tempfile::Builder::new().prefix("stoa-load-").tempdir();
        Ok(Self {
            program: program.to_owned(),
            folder: folder.map_err(StartError::Folder)?,
            child: None,
        })
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it with these arguments.
    ///
    /// # Errors
    /// [`StartError::Program`], [`StartError::Folder`].
    pub(crate) fn start(&mut self, arguments: impl FnOnce(&mut Command)) -> Result<(), StartError> {
        let output = |name| File::create(self.folder().join(name)).map_err(StartError::Folder);
        let mut command = Command::new(&self.program);
        arguments(&mut command);
        let spawned = command
            // Ctrl-C is for the tester, which ends its peers first.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output("said")?)
            .stderr(output("log")?)
            .spawn();
        self.child = Some(spawned.map_err(|source| StartError::Program {
            program: self.program.clone(),
            source,
        })?);
        Ok(())
    }

    /// Waits until something can be had of what it says.
    ///
    /// # Errors
    /// [`StartError::NotReady`] if it ends before that, or takes too long.
    pub(crate) fn wait<T>(&mut self, look: impl Fn(&str) -> Option<T>) -> Result<T, StartError> {
        let began = Instant::now();
        loop {
            let text = fs::read_to_string(self.folder().join("said")).unwrap_or_default();
            let has_ended = !matches!(self.child.as_mut().map(Child::try_wait), Some(Ok(None)));
            match look(&text) {
                Some(found) if !has_ended => return Ok(found),
                _ => {}
            }
            if has_ended || began.elapsed() > PATIENCE {
                let said =
                    text + &fs::read_to_string(self.folder().join("log")).unwrap_or_default();
                return Err(StartError::NotReady {
                    program: self.program.clone(),
                    said,
                });
            }
            // bounded: by PATIENCE
            std::thread::sleep(LOOK);
        }
    }

    /// Its identifier.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else {
            return;
        };
        // Fails where it has ended already.
        let _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM);
        let began = Instant::now();
        while matches!(child.try_wait(), Ok(None)) && began.elapsed() < PATIENCE {
            // bounded: by PATIENCE
            std::thread::sleep(LOOK);
        }
        drop(child.kill());
        drop(child.wait());
    }
}

/// The address that this machine has for the way to others. Nothing is sent to find it.
///
/// # Errors
/// [`StartError::NoAddress`].
pub(crate) fn own_address() -> Result<IpAddr, StartError> {
    match Place::near(ELSEWHERE.into()) {
        Ok(Place::Address(ip)) if !ip.is_loopback() => Ok(ip),
        _ => Err(StartError::NoAddress),
    }
}

/// A server of this run alone: `stoad dev`, on ports that are free.
pub(crate) struct Started {
    process: Process,
    url: String,
    metrics: String,
}

impl Started {
    /// Starts it, its media at this address.
    ///
    /// # Errors
    /// [`StartError`]; nothing is running then.
    pub(crate) fn start(program: &Path, media: IpAddr) -> Result<Self, StartError> {
        let mut process = Process::new(program)?;
        let directory = process.folder().join("stoad");
        process.start(|command| {
            command
                .args(["dev", "--page", "127.0.0.1:0", "--control", "127.0.0.1:0"])
                .args(["--ops", "127.0.0.1:0"])
                .args(["--media-port", "0", "--advertise", &media.to_string()])
                .arg("--directory")
                .arg(directory);
        })?;
        let (control, ops) = process.wait(|said| {
            let control = said.lines().find_map(control_address)?;
            let ops = said.lines().find_map(ops_address)?;
            Some((control.to_owned(), ops.to_owned()))
        })?;
        Ok(Self {
            process,
            url: format!("https://{control}"),
            metrics: format!("http://{ops}/metrics"),
        })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Where its figures for Prometheus are.
    pub(crate) fn metrics(&self) -> String {
        self.metrics.clone()
    }

    /// How to call it.
    pub(crate) fn address(&self) -> Address {
        let folder = self.process.folder().join("stoad");
        Address {
            url: self.url.clone(),
            ca_file: folder.join("ca.pem"),
            api_key_file: folder.join("api-key"),
            server_name: Some(DEV_SERVER_NAME.to_owned()),
        }
    }
}

/// The same of the ops port.
fn ops_address(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("The ops port is at ")?;
    rest.split_once(": ").map(|(address, _)| address)
}

/// The address in the line that tells it.
fn control_address(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("The control API is at ")?;
    rest.split(',').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_has_used_something() {
        let own = usage(std::process::id()).expect("this one runs");
        assert!(own.cpu > Duration::ZERO && own.memory > 100_000);
        assert!(own.descriptors.is_some_and(|count| count >= 3), "{own:?}");
        let mut child = Command::new("true").spawn().expect("a process");
        let ended = nix::sys::wait::WaitPidFlag::WNOWAIT | nix::sys::wait::WaitPidFlag::WEXITED;
        let pid = Pid::from_raw(child.id().cast_signed());
        nix::sys::wait::waitid(nix::sys::wait::Id::Pid(pid), ended).expect("it ends");
        assert!(
            usage(child.id()).is_none(),
            "it has ended, and was not waited for"
        );
        child.wait().expect("it is ours");
    }

    #[test]
    fn a_program_that_is_no_server_is_named() {
        let loopback = Ipv4Addr::LOCALHOST.into();
        let missing = Started::start(Path::new("/nowhere/stoad"), loopback)
            .err()
            .expect("none");
        assert!(missing.to_string().contains("/nowhere/stoad"), "{missing}");
        let other = Started::start(Path::new("/bin/true"), loopback)
            .err()
            .expect("no server");
        assert!(matches!(other, StartError::NotReady { .. }), "{other}");
    }
}
