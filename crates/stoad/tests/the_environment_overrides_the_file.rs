//! Variables of the environment take the place of what the file says: for what differs from host to host.

mod support;

use std::path::Path;

use support::{Ended, Folder, configuration, stoad_with};

fn with(variables: &[(&str, &str)], arguments: &[&str]) -> (Folder, Ended) {
    let folder = Folder::with_credentials();
    folder.write("stoad.yaml", &configuration());
    let file = folder.file("stoad.yaml");
    let arguments = arguments.iter().map(Path::new).chain([file.as_path()]);
    let ended = stoad_with(variables, arguments);
    (folder, ended)
}

#[test]
fn what_is_set_is_what_is_printed() {
    let variables = [
        ("STOA__MEDIA__ADVERTISE", "['192.0.2.7']"),
        ("STOA__LOG__LEVEL", "stoa_net=debug"),
    ];
    let (_folder, ended) = with(&variables, &["config", "print"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for line in ["  - 192.0.2.7", "  level: stoa_net=debug"] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
}

#[test]
fn what_follows_of_the_machine_is_printed_and_can_be_run() {
    let folder = Folder::with_credentials();
    folder.write("stoad.yaml", &configuration().replace("  workers: 1\n", ""));
    let print = |name: &str| {
        let file = folder.file(name);
        let ended = stoad_with(&[], [Path::new("config"), Path::new("print"), &file]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    };
    let printed = print("stoad.yaml");
    let cores = std::thread::available_parallelism().expect("Linux says it");
    for line in [
        &format!("  workers: {cores}  # by default: the number of cores this process may use\n"),
        "  advertise:  # by default: the bound addresses\n  - 127.0.0.1\n",
        "    rooms: null  # by default: as many as the node has\n",
        "  bandwidth_mbit_per_second: null  # by default: no limit\n",
    ] {
        assert!(printed.contains(line), "{line}{printed}");
    }
    folder.write("again.yaml", &printed);
    let check = [Path::new("check"), &folder.file("again.yaml")];
    assert_eq!(stoad_with(&[], check).code, Some(0));
    // All of it is written now, so nothing follows of the machine any more.
    let again = print("again.yaml");
    assert!(again.contains(&format!("  workers: {cores}\n")), "{again}");
}

#[test]
fn what_is_wrong_names_the_variable() {
    for (name, value, says) in [
        ("STOA__MEDIA__PROT", "1", "prot"),
        ("STOA__MEDIA__PORT", "70000", "media.port"),
        ("STOA__MEDIA__PORT", "[1", "STOA__MEDIA__PORT"),
        ("STOA__MEDIA__PORT__X", "1", "STOA__MEDIA__PORT__X"),
    ] {
        let (_folder, ended) = with(&[(name, value)], &["check"]);
        assert_eq!(ended.code, Some(78), "{name}: {}", ended.stderr);
        for part in [name, says] {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
    }
}

#[test]
fn what_the_file_lacks_may_come_from_the_environment() {
    let folder = Folder::with_credentials();
    let text = configuration();
    assert!(text.contains("  port: 0\n"), "{text}");
    folder.write("stoad.yaml", &text.replacen("  port: 0\n", "", 1));
    let file = folder.file("stoad.yaml");
    let check = |variables: &[(&str, &str)]| stoad_with(variables, [Path::new("check"), &file]);
    assert_eq!(check(&[]).code, Some(78));
    let ended = check(&[("STOA__MEDIA__PORT", "0")]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
