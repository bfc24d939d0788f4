//! `stoa-load run --server-metrics`: processor time and memory of a daemon whose process is not looked at.

mod support;

use std::{fs, path::Path};

use serde_json::Value;
use stoa_load::Failure;
use support::{Daemon, configuration, load};

fn daemon() -> Daemon {
    Daemon::run_as(&(configuration() + "ops:\n  listen: ['127.0.0.1:0']\n"))
}

fn measure(daemon: &Daemon, metrics: &str, json: &Path) -> Result<(), Failure> {
    let json = json.to_str().expect("a plain name");
    let more = [
        "--seconds",
        "3",
        "--server-metrics",
        metrics,
        "--json",
        json,
    ];
    load(daemon, "conversation", &more)
}

#[test]
fn a_daemon_is_measured_by_its_own_word() {
    let daemon = daemon();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    match measure(&daemon, &format!("http://{}/metrics", daemon.ops()), &file) {
        // Whether this machine was fast enough is not what is asked here.
        Ok(()) | Err(Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure}"),
    }
    let report = fs::read_to_string(&file).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let server = &report["server"];
    assert_eq!(server["measured_by"], "its own metrics tell");
    for figure in ["cpu_percent", "cpu_us_per_packet", "busiest_percent"] {
        let value = server[figure].as_f64();
        assert!(value.is_some_and(f64::is_finite), "{figure}: {server}");
    }
    assert!(server["memory_bytes"].as_u64() > Some(1 << 20), "{server}");
}

#[test]
fn a_page_that_is_not_there_is_refused_before_anything_begins() {
    let daemon = daemon();
    let folder = tempfile::tempdir().expect("a folder");
    for (url, says) in [
        (format!("http://{}/other", daemon.ops()), "404"),
        (format!("http://{}/livez", daemon.ops()), "text format"),
        (format!("http://{}/metrics", daemon.control()), "metrics at"),
        ("ftp://127.0.0.1/metrics".to_owned(), "ftp://"),
    ] {
        let failure = measure(&daemon, &url, &folder.path().join("report.json"));
        let failure = failure.expect_err("there are none");
        assert!(matches!(failure, Failure::Target(_)), "{url}: {failure}");
        assert!(failure.to_string().contains(says), "{url}: {failure}");
    }
}
