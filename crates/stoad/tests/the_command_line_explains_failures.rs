//! Whatever is wrong with the command line, the configuration or the machine: the exit code says of
//! what kind it is, and standard error names the place.

mod support;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use support::{Ended, Folder, configuration, stoad};

const WRONG_COMMAND_LINE: i32 = 2;
const NO_INPUT: i32 = 66;
const UNAVAILABLE: i32 = 69;
const WRONG_CONFIGURATION: i32 = 78;

/// A folder with the right configuration, changed in one place.
fn folder(right: &str, wrong: &str) -> Folder {
    let folder = Folder::with_credentials();
    let text = configuration();
    assert!(text.contains(right), "{right:?} is not in\n{text}");
    folder.write("stoad.yaml", &text.replacen(right, wrong, 1));
    folder
}

fn check(folder: &Folder) -> Ended {
    stoad([Path::new("check"), &folder.file("stoad.yaml")])
}

fn run(folder: &Folder) -> Ended {
    let file = folder.file("stoad.yaml");
    stoad([Path::new("run"), Path::new("--config"), &file])
}

/// Expects a failure that names everything there is to name.
#[track_caller]
fn explains(ended: &Ended, code: i32, names: &[&str]) {
    let Ended { stderr, .. } = ended;
    assert_eq!(ended.code, Some(code), "{stderr}");
    for name in names {
        assert!(stderr.contains(name), "{name:?} is not named:\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Expects that a configuration is refused by `check` and by `run` alike.
#[track_caller]
fn is_refused(folder: &Folder, code: i32, names: &[&str]) {
    explains(&check(folder), code, names);
    explains(&run(folder), code, names);
}

fn path_of(folder: &Folder, name: &str) -> String {
    folder.file(name).display().to_string()
}

#[test]
fn a_good_file_is_good() {
    let folder = folder("", "");
    let ended = check(&folder);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("good"), "{}", ended.stdout);
}

#[test]
fn an_unknown_key_is_named_with_file_line_and_column() {
    let folder = folder("  port: 0\n", "  port: 0\n  prot: 1\n");
    let file = path_of(&folder, "stoad.yaml");
    is_refused(
        &folder,
        WRONG_CONFIGURATION,
        &[&file, "`prot`", "line 4 column 3"],
    );
}

#[test]
fn a_wrong_value_is_named_with_file_and_line() {
    let folder = folder("  port: 0\n", "  port: 70000\n");
    let file = path_of(&folder, "stoad.yaml");
    is_refused(
        &folder,
        WRONG_CONFIGURATION,
        &[&file, "70000", "port", "line 3"],
    );
}

#[test]
fn what_is_no_yaml_is_named_with_file_and_line() {
    let folder = folder("media:\n", "media: [\n");
    let file = path_of(&folder, "stoad.yaml");
    is_refused(&folder, WRONG_CONFIGURATION, &[&file, "line"]);
}

#[test]
fn values_that_do_not_fit_together_are_named() {
    let folder = folder("bind: ['127.0.0.1']", "bind: ['0.0.0.0']");
    is_refused(&folder, WRONG_CONFIGURATION, &["0.0.0.0", "advertise"]);
}

#[test]
fn a_missing_configuration_is_named() {
    let folder = Folder::with_credentials();
    let file = path_of(&folder, "stoad.yaml");
    is_refused(&folder, NO_INPUT, &[&file]);
}

#[test]
fn a_missing_certificate_is_named() {
    let folder = folder("server.pem", "nowhere.pem");
    let file = path_of(&folder, "nowhere.pem");
    is_refused(&folder, NO_INPUT, &[&file]);
}

#[test]
fn a_file_that_is_no_certificate_is_named() {
    let folder = folder("server.pem", "api-key");
    let file = path_of(&folder, "api-key");
    is_refused(&folder, NO_INPUT, &[&file]);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let folder = folder("", "");
    let other = Folder::with_credentials();
    let key = std::fs::read_to_string(other.file("server-key.pem")).expect("just written");
    folder.write("server-key.pem", &key);
    let (certificate, key) = (
        path_of(&folder, "server.pem"),
        path_of(&folder, "server-key.pem"),
    );
    is_refused(&folder, NO_INPUT, &[&certificate, &key]);
}

#[test]
fn secrets_that_everybody_may_read_are_refused() {
    let folder = folder("", "");
    let key = folder.file("server-key.pem");
    for (mode, is_taken) in [(0o640, true), (0o604, false), (0o602, false), (0o600, true)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&key, permissions).expect("the file is ours");
        if is_taken {
            assert_eq!(check(&folder).code, Some(0), "mode {mode:o}");
        } else {
            let file = path_of(&folder, "server-key.pem");
            is_refused(&folder, NO_INPUT, &[&file, "chmod o="]);
        }
    }
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A configuration with the control API on this address.
fn with_control(address: SocketAddr) -> Folder {
    folder("'127.0.0.1:0'", &format!("'{address}'"))
}

/// A taken port keeps `run` from starting, and `check`, which opens none, does not even see it.
#[track_caller]
fn is_taken(folder: &Folder, address: SocketAddr) {
    let ended = check(folder);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    explains(&run(folder), UNAVAILABLE, &[&address.to_string()]);
}

#[test]
fn a_taken_tcp_port_of_the_control_api_is_named() {
    let taken = TcpListener::bind(loopback()).expect("a free port");
    let address = taken.local_addr().expect("bound");
    is_taken(&with_control(address), address);
}

#[test]
fn a_taken_udp_port_of_the_control_api_is_named() {
    let taken = UdpSocket::bind(loopback()).expect("a free port");
    let address = taken.local_addr().expect("bound");
    is_taken(&with_control(address), address);
}

#[test]
fn a_taken_media_port_is_named() {
    let taken = UdpSocket::bind(loopback()).expect("a free port");
    let address = taken.local_addr().expect("bound");
    let folder = folder("port: 0", &format!("port: {}", address.port()));
    is_taken(&folder, address);
}

#[test]
fn an_address_of_another_machine_is_named() {
    // RFC 1112, section 4: a class that was never given out.
    let address = "240.0.0.1:7443".parse().expect("an address");
    is_taken(&with_control(address), address);
}

#[test]
fn a_taken_port_of_the_page_is_named() {
    let taken = TcpListener::bind(loopback()).expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let command = [
        "dev",
        "--page",
        &address,
        "--control",
        "127.0.0.1:0",
        "--media-port",
        "0",
    ];
    let ended = stoad(command);
    explains(&ended, UNAVAILABLE, &[&address]);
    assert!(!ended.stdout.contains("running"), "{}", ended.stdout);
}

#[test]
fn a_wrong_command_line_is_explained() {
    let wrong: [(&[&str], &str); 5] = [
        (&[], "Usage"),
        (&["fly"], "fly"),
        (&["run"], "--config"),
        (&["dev", "--media-port", "70000"], "70000"),
        (&["check"], "FILE"),
    ];
    for (command, names) in wrong {
        explains(&stoad(command), WRONG_COMMAND_LINE, &[names]);
    }
}

#[test]
fn the_version_is_the_package_s() {
    let ended = stoad(["version"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout, concat!("stoad ", env!("CARGO_PKG_VERSION")));
}
