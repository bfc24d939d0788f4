//! The container image holds a C library and the daemon, and nothing can be written to it. That is enough: the daemon
//! starts in such a root as the chart starts it, is ready, and ends when it is asked to. No container engine is in this.

mod support;

use std::{
    fs,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use support::{Daemon, Folder, IMAGE_USER, Image};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The configuration that the chart mounts, with ports that are free.
fn of_the_chart() -> String {
    let template = include_str!("../../../deploy/helm/stoa/templates/configuration.yaml");
    let (_, body) = template
        .split_once("  stoad.yaml: |\n")
        .expect("it has the file");
    let sha256: String = Sha256::digest(b"a key")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tenants = format!(
        "tenants:\n  - name: talk\n    api_keys:\n      - name: signalling\n        sha256: '{sha256}'\n"
    );
    let mut text = String::new();
    // Lines of the template's own have no part in the file; all that may be said is said.
    for line in body.lines().filter(|line| !line.trim().starts_with("{{")) {
        let line = line
            .replace("{{ .Values.ports.media }}", "0")
            .replace("{{ .Values.workers }}", "2")
            .replace("{{ .Values.mediaTcp }}", "true")
            .replace("{{ toJson . }}", "['127.0.0.1']")
            .replace("{{ .Values.ports.control }}", "0")
            .replace("{{ .Values.ports.ops }}", "0")
            .replace(
                "{{ .Values.opsKey.sha256 | quote }}",
                &format!("'{sha256}'"),
            );
        text += line.strip_prefix("    ").expect("it is indented");
        text.push('\n');
    }
    assert!(!text.contains("{{"), "a value that is new here:\n{text}");
    text + &tenants
}

/// A line of what the kernel says of a process.
fn status(daemon: &Daemon, key: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{}/status", daemon.id())).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let words = line.expect("the kernel says it").split_whitespace();
    words.map(str::to_owned).collect()
}

/// Expects that it is nobody, has no capability, and a root that cannot be written to.
#[track_caller]
fn assert_has_no_rights(daemon: &Daemon) {
    if rustix::process::geteuid().is_root() {
        let user = IMAGE_USER.to_string();
        assert_eq!(status(daemon, "Uid:"), vec![user.clone(); 4]);
        assert_eq!(status(daemon, "Gid:"), vec![user; 4]);
        assert_eq!(status(daemon, "Groups:"), Vec::<String>::new());
    }
    for set in ["CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(status(daemon, set), ["0000000000000000"], "{set}");
    }
    assert_eq!(status(daemon, "NoNewPrivs:"), ["1"]);
    let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", daemon.id())).expect("it runs");
    // The last one is what is seen.
    let mut mounts = mounts.lines().map(|line| line.split(' '));
    let root = mounts.rfind(|mount| mount.clone().nth(4) == Some("/"));
    let flags = root.and_then(|mut mount| mount.nth(5));
    let mut flags = flags.expect("it has a root").split(',');
    assert!(flags.any(|flag| flag == "ro"), "it can be written to");
}

#[test]
fn the_daemon_runs_in_a_root_with_a_c_library_alone() {
    let image = Image::new(
        env!("CARGO_BIN_EXE_stoad"),
        &of_the_chart(),
        &Folder::with_credentials(),
    );
    let Some(mut daemon) = Daemon::run_in_an_image(&image) else {
        return;
    };
    let began = Instant::now();
    while daemon.ask_ops("GET", "/readyz", None).0 != 200 {
        assert!(began.elapsed() < PATIENCE, "{}", daemon.log());
        // bounded: by PATIENCE
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_has_no_rights(&daemon);

    daemon.terminate();
    let ended = daemon.wait(PATIENCE);
    assert_eq!(ended.code(), Some(0), "{ended}\n{}", daemon.log());
}

#[test]
fn what_compose_starts_wants_a_folder_for_its_files_and_no_more() {
    let compose = include_str!("../../../deploy/compose/compose.yaml");
    for key in [
        "command: [dev, ",
        "read_only: true",
        "tmpfs: ['/tmp:mode=1777']",
    ] {
        assert!(compose.contains(key), "{key} is not what is tried here");
    }
    let program = env!("CARGO_BIN_EXE_stoad");
    let image = Image::new(program, "", &Folder::with_credentials());
    let Some(mut daemon) = Daemon::dev_in_an_image(&image) else {
        return;
    };
    assert_has_no_rights(&daemon);
    daemon.terminate();
    let ended = daemon.wait(PATIENCE);
    assert_eq!(ended.code(), Some(0), "{ended}\n{}", daemon.log());
}
