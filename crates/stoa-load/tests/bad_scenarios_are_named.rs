//! A scenario that cannot be played is refused with the place, before anybody is called.

mod support;

use support::{Tester, failed, scenario};

const NOWHERE: [&str; 6] = [
    "--target",
    "https://127.0.0.1:1",
    "--ca",
    "c",
    "--api-key-file",
    "k",
];

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let text =
        scenario("seconds: 3\ngroups:\n  - {name: a, count: 1, role: speaker, tlak: always}\n");
    let run = Tester::run(&text, &NOWHERE.map(str::to_owned)).wait();
    let complaint = failed(&run, 78);
    for part in [
        "scenario.yaml",
        "groups[0]",
        "unknown field `tlak`",
        "line 5",
    ] {
        assert!(complaint.contains(part), "{complaint}");
    }
    assert!(run.report.is_none());
}

#[test]
fn what_the_command_line_changes_has_to_fit() {
    let run = |arguments: &[&str]| {
        let line = [&["run"], arguments, &NOWHERE].concat();
        Tester::command(&line).wait()
    };
    let none = run(&["moderation", "--listeners", "5"]);
    assert!(failed(&none, 2).contains("--listeners"));
    let many = run(&["stage", "--listeners", "9000000"]);
    assert!(failed(&many, 78).contains("stage as changed: groups"));
    let unknown = run(&["no-such-scenario"]);
    assert!(failed(&unknown, 2).contains("no-such-scenario"));
}

#[test]
fn the_ready_made_ones_are_listed_and_shown() {
    let list = Tester::command(&["scenarios"]).wait();
    assert!(list.status.success());
    for name in list
        .said
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        let shown = Tester::command(&["scenarios", name]).wait();
        assert!(
            shown.status.success() && shown.said.contains("groups:"),
            "{name}"
        );
    }
    // Those of docs/load-testing.md, and the two that `peers` plays.
    for name in ["conversation", "churn", "peers-one", "peers-three"] {
        assert!(
            list.said.lines().any(|line| line.starts_with(name)),
            "{name}"
        );
    }
    let unknown = Tester::command(&["scenarios", "nothing"]).wait();
    assert!(failed(&unknown, 2).contains("nothing"));
}
