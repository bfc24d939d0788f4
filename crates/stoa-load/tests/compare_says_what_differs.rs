//! Two reports side by side.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::{Tester, failed};

/// A report of a minute with these figures, which differ a little from second to second.
fn write(path: &Path, latency: f64, processor: f64) {
    let second = |number: u32| {
        let wave = f64::from(number).sin() / 10.0;
        json!({
            "at": number, "measured": true, "received": 5_000,
            "latency_p50_ms": latency + wave, "server_cpu_percent": processor + wave,
        })
    };
    let report = json!({
        "format": 1, "scenario": "stage", "target": "https://a:1", "complete": true, "valid": true,
        "measured_seconds": 60, "seconds": (0..60).map(second).collect::<Vec<Value>>(),
    });
    std::fs::write(path, report.to_string()).expect("the folder is ours");
}

fn line<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines()
        .find(|line| line.starts_with(name))
        .unwrap_or_else(|| panic!("{name}\n{text}"))
}

#[test]
fn compare_says_what_differs() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b, other] = ["a.json", "b.json", "c.json"].map(|name| folder.path().join(name));
    write(&a, 2.0, 50.0);
    write(&b, 3.0, 50.05);
    std::fs::write(&other, "{\"format\": 99}").expect("the folder is ours");
    let compare = |a: &Path, b: &Path| {
        let files = [a, b].map(|path| path.to_str().expect("a plain name").to_owned());
        Tester::command(&["compare", &files[0], &files[1]]).wait()
    };
    let run = compare(&a, &b);
    assert!(run.status.success(), "{}", run.complained);
    assert!(
        line(&run.said, "latency p50").contains("B IS HIGHER (+50 %)"),
        "{}",
        run.said
    );
    assert!(
        line(&run.said, "server CPU, %").ends_with("noise"),
        "{}",
        run.said
    );
    // What neither has is not shown.
    assert!(!run.said.contains("server memory"), "{}", run.said);
    let back = compare(&b, &a);
    assert!(
        line(&back.said, "latency p50").contains("B IS LOWER"),
        "{}",
        back.said
    );

    let wrong = compare(&a, &other);
    assert!(failed(&wrong, 66).contains("form 99"));
    let missing = compare(&a, &folder.path().join("d.json"));
    assert!(failed(&missing, 66).contains("d.json"));
    let broken = compare(&a, Path::new("Cargo.toml"));
    assert!(failed(&broken, 66).contains("it is no report of stoa-load"));
}
