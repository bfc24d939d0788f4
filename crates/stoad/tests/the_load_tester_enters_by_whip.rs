//! `stoa-load run --whip --whep`: those who speak come in by WHIP and those who listen by WHEP, each with a token of
//! their own, and are heard. Who is refused learns why, and what cannot be played is said before.

mod support;

use std::fs;

use clap::Parser as _;
use stoa_load::{Arguments, Failure};

const SCENARIO: &str = "\
about: for a test
seconds: 3
settle_seconds: 1
room: {speak_policy: speakers_only}
groups:
  - {name: stage, count: 2, role: speaker, talk: always}
  - {name: audience, count: 3, role: listener}
";

#[test]
fn the_load_tester_enters_by_whip() {
    let daemon = support::Daemon::with_whip("http://127.0.0.1:1");
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    fs::write(file("scenario.yaml"), SCENARIO).expect("the folder is ours");
    let of_daemon = |name| daemon.file(name).display().to_string();
    let run = |scenario: &str, kid: &str| {
        let line = [
            "stoa-load",
            "run",
            &file(scenario),
            "--whip",
            &format!("https://{}/whip/{{room}}", daemon.whip()),
            "--whep",
            &format!("https://{}/whep/{{room}}", daemon.whip()),
            "--target",
            &format!("https://{}", daemon.control()),
            "--ca",
            &of_daemon("ca.pem"),
            "--api-key-file",
            &of_daemon("api-key"),
            "--token-key-file",
            &of_daemon("token.key"),
            "--token-kid",
            kid,
            "--token-tenant",
            "test",
            "--verify",
            "1/1",
            "--json",
            &file("report.json"),
        ]
        .map(str::to_owned);
        let arguments = Arguments::try_parse_from(line).expect("a good command line");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(stoa_load::run(arguments))
    };
    match run("scenario.yaml", "e") {
        // Whether this machine was fast enough is not what is asked here.
        Ok(()) | Err(Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure}"),
    }
    let report = fs::read_to_string(file("report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["complete"], true, "{report}");
    assert_eq!(report["joins"]["connected"], 5, "{}", report["joins"]);
    let audience = &report["groups"][1];
    // Three hear two for three seconds; the first and the last piece of a second are not measured.
    assert!(audience["received"].as_u64() > Some(700), "{audience}");
    assert!(audience["checked"].as_u64() > Some(700), "{audience}");
    for none in ["lost", "corrupt", "wrong_voice"] {
        assert_eq!(audience[none], 0, "{none}: {audience}");
    }
    assert_eq!(report["groups"][0]["received"], 0, "who speaks only sends");
    // A token that is not taken is a refusal, with the server's own word.
    let refused = run("scenario.yaml", "unknown").expect_err("nobody can come in");
    assert!(refused.to_string().contains("TOKEN_INVALID"), "{refused}");
    // What it cannot play is said before anything begins.
    fs::write(
        file("talk.yaml"),
        SCENARIO.replace("role: listener", "role: speaker"),
    )
    .expect("ours");
    let unfit = run("talk.yaml", "e").expect_err("nobody would listen");
    assert!(
        unfit.to_string().contains("nobody would hear anybody"),
        "{unfit}"
    );
}
