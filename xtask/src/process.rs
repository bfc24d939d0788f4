//! Running other programs: each command line is printed before it runs.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::report::Failure;

/// How often a bounded command is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// How a command ended that was given only so much time.
#[derive(Debug)]
pub(crate) enum Bounded {
    Ended(ExitStatus),
    OutOfTime,
}

/// The cargo that runs us, so that nested calls use the same toolchain.
///
/// Without what `cargo run` tells us about ourselves: a build script that asks for it (`ring`'s does)
/// would run again, and all that depends on it be built again, each time somebody calls cargo by hand
/// between two calls of ours.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if ours {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `command` to its end; anything but exit code 0 is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let line = announce(command);
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("`{line}` did not start: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{line}` ended with {status}")))
    }
}

/// Runs `command` to its end and returns what it wrote to standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let line = display(command);
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("`{line}` did not start: {error}")))?;
    if !output.status.success() {
        let status = output.status;
        return Err(Failure::new(format!("`{line}` ended with {status}")));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("`{line}` wrote something that is not UTF-8")))
}

/// Whether `command` can be started and ends well. Says nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs `command` for no longer than `limit`; then it is killed with whatever it started.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<Bounded, Failure> {
    let line = announce(command);
    let failed = |error| Failure::new(format!("`{line}` could not be run: {error}"));
    // A process group of its own, so that its children (git, for one) end with it.
    let mut child = command.process_group(0).spawn().map_err(failed)?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(Bounded::Ended(status));
        }
        if Instant::now() >= deadline {
            break;
        }
        // bounded: by `deadline` above.
        std::thread::sleep(POLL);
    }
    let group = format!("-{}", child.id());
    if !succeeds(Command::new("kill").args(["-KILL", "--", &group])) {
        child.kill().map_err(failed)?;
    }
    child.wait().map_err(failed)?;
    Ok(Bounded::OutOfTime)
}

/// Looks for a program in the directories of PATH.
pub(crate) fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

fn announce(command: &Command) -> String {
    let line = display(command);
    println!("$ {line}");
    line
}

fn display(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_named_in_the_failure() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).expect_err("exit code 3");
        assert!(error.to_string().contains("sh -c exit 3"), "{error}");
    }

    #[test]
    fn a_command_out_of_time_is_killed_with_its_children() {
        let started = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & wait"]);
        let ended = run_within(&mut command, Duration::from_millis(100)).expect("runs");
        assert!(matches!(ended, Bounded::OutOfTime));
        assert!(started.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_command_within_its_time_gives_its_status() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]);
        let ended = run_within(&mut command, Duration::from_secs(60)).expect("runs");
        assert!(matches!(ended, Bounded::Ended(status) if status.code() == Some(3)));
    }
}
