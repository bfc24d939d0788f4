//! `stoad doctor` finds each thing that it knows: what is wrong is made so here, by a network namespace, a limit, a
//! file or a configuration. What takes a whole machine is in `the_doctor_finds_what_is_wrong_with_a_machine`.

mod support;

use std::{
    fs::{self, Permissions},
    net::UdpSocket,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use support::{Daemon, Folder, Said, configuration, examine_by, with_whip};

/// Has a configuration examined, as it is.
#[track_caller]
fn examine(folder: &Folder, text: &str) -> Said {
    examine_by(&mut Command::new("env"), folder, text)
}

fn folder() -> Folder {
    let folder = Folder::with_credentials();
    let key = folder.file("server-key.pem");
    fs::set_permissions(key, Permissions::from_mode(0o600)).expect("the folder is ours");
    folder
}

/// The right configuration with other keys of `media`.
fn with_media(bind: &str, more: &str) -> String {
    let media = format!("bind: [{bind}]\n  {more}\n");
    configuration().replace("bind: ['127.0.0.1']\n", &media)
}

/// In a network of its own, made by these commands of a shell; with a view of its interfaces.
fn in_a_network(set_up: &str) -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let script = format!("mount -t sysfs sysfs /sys && {set_up} && exec \"$0\" \"$@\"");
    command.args(["--net", "--mount", "sh", "-e", "-c", &script]);
    command
}

#[test]
fn what_is_well_is_said_to_be() {
    let folder = folder();
    let said = examine(&folder, &configuration());
    said.has("configuration", "OK", &["complete"]);
    said.has("certificates", "OK", &["localhost", "127.0.0.1", "days"]);
    said.has("certificates", "OK", &["server-key.pem", "600"]);
    said.has("addresses", "OK", &["127.0.0.1 is advertised"]);
    said.has("ports", "OK", &["can be bound"]);
    said.has("workers", "OK", &["1 media workers"]);
    said.has("mtu", "OK", &["lo takes packets"]);

    // Without a file it is what `stoad dev` runs with, and for people it is a table.
    let ended = support::stoad(["doctor"]);
    assert!(matches!(ended.code, Some(0 | 71)), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("server.pem is for localhost"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains(" WARN, "), "{}", ended.stdout);
}

#[test]
fn certificates_and_keys() {
    let folder = folder();
    let good = fs::read_to_string(folder.file("server.pem")).expect("it is there");
    let key = fs::read_to_string(folder.file("server-key.pem")).expect("it is there");
    let key = KeyPair::from_pem(&key).expect("a key");
    let issue_until = |names: &[&str], from, until| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut wanted = CertificateParams::new(names).expect("names");
        wanted.not_before = from;
        wanted.not_after = until;
        folder.write(
            "server.pem",
            &wanted.self_signed(&key).expect("a certificate").pem(),
        );
    };
    let issue = |names: &[&str], from: i32, until: i32| {
        issue_until(names, date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    };
    issue(&["localhost"], 2_020, 2_021);
    examine(&folder, &configuration()).has("certificates", "FAIL", &["has expired"]);
    issue(&["localhost"], 2_200, 2_201);
    examine(&folder, &configuration()).has("certificates", "FAIL", &["not valid yet"]);
    let in_ten_days = SystemTime::now() + Duration::from_secs(10 * 86_400 + 3_600);
    issue_until(
        &["localhost"],
        date_time_ymd(2_020, 1, 1),
        in_ten_days.into(),
    );
    examine(&folder, &configuration()).has("certificates", "WARN", &["good for 10 days"]);
    issue(&[], 2_020, 2_200);
    examine(&folder, &configuration()).has("certificates", "FAIL", &["has no name"]);

    folder.write("server.pem", &good);
    folder.write(
        "server-key.pem",
        &KeyPair::generate().expect("a key").serialize_pem(),
    );
    examine(&folder, &configuration()).has(
        "configuration",
        "FAIL",
        &["server-key.pem", "does not go with"],
    );
    let missing = configuration().replace("server.pem", "nowhere.pem");
    examine(&folder, &missing).has("configuration", "FAIL", &["nowhere.pem"]);
}

#[test]
fn secrets_that_others_may_have() {
    let folder = folder();
    // Who pretends to be the node, and who makes tokens.
    let text = with_whip(&folder, "https://rooms.example");
    for file in ["server-key.pem", "token.secret"] {
        for (mode, level) in [
            (0o644, "FAIL"),
            (0o660, "FAIL"),
            (0o601, "FAIL"),
            (0o640, "OK"),
        ] {
            let permissions = Permissions::from_mode(mode);
            fs::set_permissions(folder.file(file), permissions).expect("the folder is ours");
            let measured = format!("{file} has mode {mode:o}");
            let mend = if level == "FAIL" { "chmod o=,g-w" } else { "" };
            examine(&folder, &text).has("certificates", level, &[&measured, mend]);
        }
    }
}

#[test]
fn ports_that_are_held() {
    let folder = folder();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let port = socket.local_addr().expect("it is bound").port();
    let text = configuration().replace("port: 0", &format!("port: {port}"));
    let own = format!("(process {})", std::process::id());
    examine(&folder, &text).has(
        "ports",
        "FAIL",
        &["media.port: UDP 127.0.0.1:", &own, "ss -lntup"],
    );
    drop(socket);

    let daemon = Daemon::run(&[]);
    let control = daemon.control().to_string();
    let text = configuration().replace("127.0.0.1:0", &control);
    let said = examine(&folder, &text);
    let process = format!("stoad (process {})", daemon.id());
    said.has("ports", "OK", &[&process]);
    let descriptors = said
        .findings
        .iter()
        .find(|finding| finding["check"] == "descriptors");
    assert!(
        descriptors.expect("Linux").to_string().contains(&process),
        "{:#?}",
        said.findings
    );

    let text = configuration().replace("127.0.0.1:0", "192.0.2.1:7443");
    examine(&folder, &text).has(
        "ports",
        "FAIL",
        &["control.listen: TCP 192.0.2.1:7443", "ip address"],
    );

    // A port that is for privileged users, and one who is not.
    let text = configuration().replace("listen: ['127.0.0.1:0']", "listen: ['127.0.0.1:443']");
    let mut stranger =
        in_a_network("ip link set lo up; sysctl -q net.ipv4.ip_unprivileged_port_start=1024");
    let stranger = stranger.args([
        "setpriv",
        "--bounding-set=-net_bind_service",
        "--inh-caps=-net_bind_service",
    ]);
    examine_by(stranger, &folder, &text).has(
        "ports",
        "FAIL",
        &["control.listen: TCP 127.0.0.1:443", "CAP_NET_BIND_SERVICE"],
    );
}

#[test]
fn limits_of_the_process_and_the_machine() {
    let folder = folder();
    for (limit, level) in [
        ("1200:1200", "WARN"),
        ("256:256", "FAIL"),
        ("1048576:1048576", "OK"),
    ] {
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--nofile={limit}"));
        let of = |said: &Said| {
            said.findings
                .iter()
                .find(|finding| finding["check"] == "descriptors")
                .cloned()
        };
        let hard = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
        if level == "OK" && hard.is_some_and(|hard| hard < 1_048_576) {
            continue;
        }
        let said = examine_by(&mut limited, &folder, &configuration());
        said.has("descriptors", level, &["may have"]);
        assert!(
            level == "OK"
                || of(&said)
                    .is_some_and(|found| found["mend"].to_string().contains("LimitNOFILE=32768"))
        );
    }
    let mut pinned = Command::new("taskset");
    let text = configuration().replace("workers: 1", "workers: 2");
    let said = examine_by(pinned.args(["--cpu-list", "0"]), &folder, &text);
    said.has(
        "workers",
        "WARN",
        &["2 media workers", "1 cores", "media.workers: 1"],
    );

    let text = configuration() + "capacity:\n  memory_mib: 1000000000\n";
    examine(&folder, &text).has("memory", "FAIL", &["capacity.memory_mib is 1000000000"]);
}

#[test]
fn a_clock_that_nobody_keeps_right() {
    let folder = folder();
    let programs = tempfile::tempdir().expect("a temporary folder");
    let program = programs.path().join("timedatectl");
    for (answer, level) in [("yes", "OK"), ("no", "FAIL"), ("", "WARN")] {
        fs::write(&program, format!("#!/bin/sh\necho {answer}\n")).expect("the folder is ours");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the folder is ours");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut beside = Command::new("env");
        beside.arg(format!("PATH={}:{path}", Path::display(programs.path())));
        examine_by(&mut beside, &folder, &configuration()).has("clock", level, &["synchronised"]);
    }
}

#[test]
fn addresses_and_networks() {
    let folder = folder();
    for (bind, advertise, level, words) in [
        (
            "'127.0.0.1'",
            "'10.91.0.7'",
            "FAIL",
            "bound to loopback alone",
        ),
        (
            "'0.0.0.0'",
            "'127.0.0.1'",
            "FAIL",
            "loopback alone is advertised",
        ),
        (
            "'0.0.0.0'",
            "'127.0.0.1', '10.91.0.7'",
            "WARN",
            "beside other addresses",
        ),
        ("'0.0.0.0'", "'10.91.0.7'", "WARN", "nc -vz 10.91.0.7"),
        (
            "'0.0.0.0'",
            "'203.0.113.10'",
            "FAIL",
            "stands for an address in examples",
        ),
        (
            "'0.0.0.0'",
            "'169.254.0.1'",
            "FAIL",
            "no address that anybody",
        ),
    ] {
        let text = with_media(bind, &format!("advertise: [{advertise}]"));
        examine(&folder, &text).has("addresses", level, &[words]);
    }
    let pair = "ip link set lo up; ip link add stoa0 type veth peer name stoa1; \
                ip address add 10.91.0.1/24 dev stoa0; ip link set stoa0 up; ip link set stoa1 up";
    let text = with_media("'0.0.0.0'", "advertise: ['10.91.0.1']");
    let mut small = in_a_network(&format!("{pair}; ip link set stoa0 mtu 1000"));
    let said = examine_by(
        small.args(["env", "KUBERNETES_SERVICE_HOST=10.0.0.1"]),
        &folder,
        &text,
    );
    said.has(
        "mtu",
        "FAIL",
        &["stoa0 takes packets of 1000", "ip link set stoa0 mtu 1500"],
    );
    said.has("addresses", "OK", &["10.91.0.1"]);
    said.has("place", "WARN", &["Kubernetes", "hostNetwork"]);

    let six = format!("{pair}; ip address add fd00:91::1/64 dev stoa0 nodad");
    let said = examine_by(&mut in_a_network(&six), &folder, &text);
    said.has("addresses", "WARN", &["bound to IPv4 alone", "fd00:91::1"]);
    let both = with_media("'0.0.0.0', '::'", "advertise: ['10.91.0.1']");
    let said = examine_by(&mut in_a_network(&six), &folder, &both);
    said.has(
        "addresses",
        "WARN",
        &["none of its addresses advertised", "fd00:91::1"],
    );
    let told = with_media("'0.0.0.0', '::'", "advertise: ['10.91.0.1', 'fd00:91::2']");
    let said = examine_by(&mut in_a_network(pair), &folder, &told);
    said.has(
        "addresses",
        "FAIL",
        &["this machine has none", "ip -6 address"],
    );
}

/// The tests of both files, by their names.
fn tests() -> Vec<(&'static str, &'static str)> {
    let files = [
        include_str!("the_doctor_finds_what_is_wrong.rs"),
        include_str!("the_doctor_finds_what_is_wrong_with_a_machine.rs"),
    ];
    let tests = files
        .into_iter()
        .flat_map(|file| file.split("#[test]\nfn "));
    tests.filter_map(|test| test.split_once("()")).collect()
}

#[test]
fn the_table_names_the_test_of_each_row() {
    let document = include_str!("../../../docs/doctor.md");
    let tests = tests();
    let mut rows = Vec::new();
    for row in document.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [check, _, warn, fail, shown_by] = cells[..] else {
            panic!("a row has five cells: {row}");
        };
        let names = shown_by.split(", ").map(|name| name.trim_matches('`'));
        let shown: String = names
            .map(|name| match tests.iter().find(|(test, _)| *test == name) {
                Some((_, body)) => *body,
                None => panic!("{name} is no test: {row}"),
            })
            .collect();
        let check = check.trim_matches('`');
        let levels = [("WARN", warn), ("FAIL", fail)];
        let wanted = levels.iter().filter(|(_, cell)| !cell.is_empty());
        for word in wanted.map(|(level, _)| *level).chain([check]) {
            assert!(shown.contains(&format!("\"{word}\"")), "{word}: {row}");
        }
        rows.push(check);
    }
    // Every family has its row.
    let said = examine(&folder(), &configuration());
    for finding in &said.findings {
        let check = finding["check"].as_str().unwrap_or_default();
        assert!(rows.contains(&check), "{check} has no row");
    }
}
