//! A control group of a test's own, whose memory has a limit.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Linux shows control groups.
const ROOT: &str = "/sys/fs/cgroup";

/// A group below that of the test, or of one above it. It is gone with the test; what ran in it has to have ended.
pub(crate) struct ControlGroup {
    folder: PathBuf,
    /// The file with the limit, in bytes.
    limit: &'static str,
}

impl ControlGroup {
    /// One that may have so many bytes. `None`, said aloud, where the system does not allow it.
    pub(crate) fn new(bytes: u64) -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let made = groups.lines().find_map(|line| below(line, bytes));
        if made.is_none() {
            // Past what the harness holds back of tests that pass.
            let said = std::io::stderr()
                .write_all(b"SKIPPED: no control group may be made here, so none has a limit\n");
            said.expect("standard error is open");
        }
        made
    }

    /// Lets it have so many bytes from now on.
    pub(crate) fn set(&self, bytes: u64) {
        self.write(bytes).expect("it has room for what it has");
    }

    fn write(&self, bytes: u64) -> std::io::Result<()> {
        fs::write(self.folder.join(self.limit), bytes.to_string())
    }

    /// The start of a command line that runs this program in it.
    pub(super) fn command(&self, program: &str) -> Command {
        const ENTER: &str = "echo $$ > \"$GROUP\" && exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.env("GROUP", self.folder.join("cgroup.procs"));
        command.args(["-c", ENTER, program]);
        command
    }
}

/// A new one below the group of this line of `/proc/self/cgroup`, `HIERARCHY:CONTROLLERS:PATH`, or below the nearest above
/// it that gives its groups a limit of memory and lets this program move there.
fn below(line: &str, bytes: u64) -> Option<ControlGroup> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let (root, limit) = match controllers {
        "" => (PathBuf::from(ROOT), "memory.max"),
        "memory" => (Path::new(ROOT).join("memory"), "memory.limit_in_bytes"),
        _ => return None,
    };
    let own = root.join(path.trim_start_matches('/'));
    let groups = own.ancestors().take_while(|group| group.starts_with(&root));
    // Other folders can be there, too, and be made there.
    let mut groups = groups.filter(|group| group.join("cgroup.procs").exists());
    groups.find_map(|group| {
        let folder = group.join(format!("stoa-test-{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        let made = ControlGroup { folder, limit };
        let is_limited = made.write(bytes).is_ok();
        let runs = || made.command("true").status();
        (is_limited && runs().is_ok_and(|status| status.success())).then_some(made)
    })
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // Fails only where it is not there, or somebody is still in it, whom nobody may end from here.
        let _ = fs::remove_dir(&self.folder);
    }
}
