//! `stoa-load peers`: a real daemon and a real Janus, each started for its turn, are played the same, heard, and put
//! side by side. Where there is no Janus it is said how to get one.

use std::{fs, path::Path};

use clap::Parser as _;
use stoa_load::{Arguments, Failure};

const SCENARIO: &str = "\
about: for a test
seconds: 2
settle_seconds: 1
room: {slots: 2, speak_policy: speakers_only}
groups:
  - {name: stage, count: 2, role: speaker, talk: always}
  - {name: audience, count: 3, role: listener}
";

fn peers(folder: &Path, janus: &str) -> Result<(), Failure> {
    let file = |name: &str| folder.join(name).display().to_string();
    let line = [
        "stoa-load",
        "peers",
        &file("scenario.yaml"),
        "--start-stoad",
        env!("CARGO_BIN_EXE_stoad"),
        "--start-janus",
        janus,
        "--rounds",
        "1",
        "--verify",
        "1/1",
        "--json",
        &file("peers.json"),
        "--html",
        &file("peers.html"),
    ]
    .map(str::to_owned);
    let arguments = Arguments::try_parse_from(line).expect("a good command line");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(stoa_load::run(arguments))
}

#[test]
fn a_stoa_stands_beside_a_janus() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    fs::write(file("scenario.yaml"), SCENARIO).expect("the folder is ours");
    match peers(folder.path(), "janus") {
        // Whether this machine was fast enough is not what is asked here.
        Ok(()) | Err(Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure} (cargo xtask setup installs a Janus)"),
    }
    let text = fs::read_to_string(file("peers.json")).expect("the reports");
    let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let rounds = all["all"][0]["rounds"].as_array().expect("rounds");
    let sides: Vec<_> = rounds.iter().map(|round| round["side"].as_str()).collect();
    assert_eq!(sides, [Some("stoa"), Some("janus")]);
    for round in rounds {
        let (side, report) = (&round["side"], &round["report"]);
        assert_eq!(
            report["joins"]["connected"], 5,
            "{side}: {}",
            report["joins"]
        );
        let audience = &report["groups"][1];
        // Three hear two for two seconds; the first and the last piece of a second are not measured.
        assert!(
            audience["checked"].as_u64() > Some(400),
            "{side}: {audience}"
        );
        for none in ["lost", "corrupt", "wrong_voice"] {
            assert_eq!(audience[none], 0, "{side}, {none}: {audience}");
        }
        assert_eq!(
            report["groups"][0]["received"], 0,
            "{side}: who speaks only sends"
        );
        let server = &report["server"];
        assert!(
            server["cpu_us_per_packet"].as_f64() > Some(0.0),
            "{side}: {server}"
        );
        assert!(
            server["memory_before_bytes"].as_u64() > Some(0),
            "{side}: {server}"
        );
    }
    let page = fs::read_to_string(file("peers.html")).expect("a page");
    assert!(page.contains("server CPU a packet heard"), "{page}");
}

#[test]
fn where_there_is_no_janus_it_is_said_how_to_get_one() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("scenario.yaml"), SCENARIO).expect("the folder is ours");
    let failure = peers(folder.path(), "no-such-janus").expect_err("it is not there");
    for part in ["no-such-janus", "apt-get install janus"] {
        assert!(failure.to_string().contains(part), "{failure}");
    }
}
