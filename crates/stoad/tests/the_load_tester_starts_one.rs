//! `stoa-load run --start-stoad`: a daemon for the run alone, loaded, measured and ended.

mod support;

use std::fs;

use clap::Parser as _;
use stoa_load::{Arguments, Failure};
use support::report_without_loss;

#[test]
fn the_load_tester_starts_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    let arguments = Arguments::try_parse_from([
        "stoa-load",
        "run",
        "conversation",
        "--seconds",
        "3",
        "--start-stoad",
        env!("CARGO_BIN_EXE_stoad"),
        "--json",
        file.to_str().expect("a plain name"),
    ]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match runtime.block_on(stoa_load::run(arguments.expect("a good command line"))) {
        // Whether this machine was fast enough is not what is asked here.
        Ok(()) | Err(Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure}"),
    }
    let report = report_without_loss(&file, 4);
    assert_eq!(report["server"]["measured_by"], "the system tells (/proc)");
    let seconds = report["seconds"].as_array().expect("a list");
    let is_told = |second: &serde_json::Value| second["server_busiest_percent"].is_number();
    assert!(seconds.iter().any(is_told), "{report}");
    // It was started by this process, and has ended.
    assert_eq!(children("stoad"), 0);
}

/// How many processes of this name this one has started and that have not ended.
fn children(name: &str) -> usize {
    let own = format!("PPid:\t{}", std::process::id());
    let name = format!("Name:\t{name}");
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let status =
        processes.filter_map(|process| fs::read_to_string(process.path().join("status")).ok());
    let is_one = |status: &String| {
        [&own, &name]
            .iter()
            .all(|line| status.lines().any(|l| l == *line))
    };
    status.filter(is_one).count()
}
