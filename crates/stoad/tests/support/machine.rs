//! A machine with a kernel of its own: User-mode Linux, which is a program. So a test can give it the limits, the
//! memory and the clock that it likes, and changes nothing of the machine that it runs on.

use std::{fmt::Write as _, fs, io::Write as _, path::Path, process::Command, time::Duration};

use nix::{errno::Errno, sys::ptrace, unistd::Pid};

use super::{command::Running, examined::Said, folder::Folder, tools};

/// How long it may be up: it is so for a few seconds.
const UP: Duration = Duration::from_secs(120);

/// It sees the files of the machine that it runs on and cannot change them, but for those of the test.
const BEGIN: &str = "\
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NO_COLOR=1
cd '{folder}'
mount -t hostfs -o '{folder}' none '{folder}'
cd '{folder}'
: > begun
mount -t proc proc /proc
mount -t sysfs sysfs /sys
ip link set lo up
";

/// The kernel ends the script when it ends itself.
const END: &str = "echo o > /proc/sysrq-trigger\nsleep 60\n";

/// One that is about to be.
pub(crate) struct Machine<'a> {
    folder: &'a Folder,
    script: String,
    examinations: usize,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(folder: &'a Folder) -> Self {
        let path = folder.path().display().to_string();
        Self {
            folder,
            script: BEGIN.replace("{folder}", &path),
            examinations: 0,
        }
    }

    /// Does this in a shell, and has a doctor look at this configuration then.
    pub(crate) fn examine(mut self, set_up: &str, configuration: &str) -> Self {
        let number = self.examinations;
        let file = self
            .folder
            .write(&format!("stoad-{number}.yaml"), configuration);
        let (program, file) = (env!("CARGO_BIN_EXE_stoad"), file.display());
        write!(
            self.script,
            "{set_up}\n'{program}' doctor --json '{file}' > said-{number} 2> complaint-{number}\necho $? > code-{number}\n"
        )
        .expect("a text");
        self.examinations += 1;
        self
    }

    /// What the doctors said. `None`, said aloud, where the system does not allow such a machine (it is made with
    /// `ptrace`). `kernel` is what its kernel is told besides.
    #[track_caller]
    pub(crate) fn run(self, kernel: &[&str]) -> Option<Vec<Said>> {
        let init = self.folder.write("init", &(self.script + END));
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&init, executable).expect("the folder is ours");
        let mut command = Command::new(tools::user_mode_linux());
        command
            .args(["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"])
            .args(["mem=256M", "quiet", "con=null", "con0=fd:0,fd:1"])
            .arg(format!("init={}", init.display()))
            .arg(format!("uml_dir={}/", self.folder.path().display()))
            .args(kernel);
        let mut machine = Running::start(&mut command);
        let ended = machine.wait(UP);
        if !self.folder.file("begun").exists() && is_forbidden() {
            let said = std::io::stderr().write_all(
                b"SKIPPED: no process may be traced here (ptrace), so there is no second kernel\n",
            );
            said.expect("standard error is open");
            return None;
        }
        assert!(ended.is_some(), "{}", machine.output());
        let read = |name: &str, number: usize| {
            let file = self.folder.file(&format!("{name}-{number}"));
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}: {}", machine.output()))
        };
        let said = (0..self.examinations).map(|number| {
            let code = read("code", number).trim().parse().ok();
            Said::read(&read("said", number), code, &read("complaint", number))
        });
        Some(said.collect())
    }
}

/// Whether a child cannot be traced here.
fn is_forbidden() -> bool {
    let mut child = Running::start(Command::new("sleep").arg("60"));
    let id = Pid::from_raw(i32::try_from(child.id()).expect("a number of a process"));
    let seized = ptrace::seize(id, ptrace::Options::empty());
    child.signal(rustix::process::Signal::KILL);
    child.wait(Duration::from_secs(10));
    seized == Err(Errno::EPERM)
}

/// A program of this name that does this, to be found before any other in `PATH` by `export PATH=FOLDER/bin:$PATH`.
pub(crate) fn program(folder: &Folder, name: &str, script: &str) {
    let bin = folder.file("bin");
    fs::create_dir_all(&bin).expect("the folder is ours");
    let file = folder.write(
        &Path::new("bin").join(name).to_string_lossy(),
        &format!("#!/bin/sh\n{script}\n"),
    );
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(file, executable).expect("the folder is ours");
}
