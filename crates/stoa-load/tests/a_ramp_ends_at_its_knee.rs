//! More and more come until the server takes no more.

mod support;

use support::{Node, Settings, Tester, ended, scenario};

#[test]
fn a_ramp_ends_at_its_knee() {
    let settings = Settings {
        most_in_a_room: Some(12),
        ..Settings::default()
    };
    let node = Node::start(&settings);
    let text = scenario(
        "seconds: 600\n\
         groups:\n  \
         - {name: stage, count: 2, role: speaker, talk: always}\n  \
         - {name: audience, count: 0, role: listener}\n\
         ramp: {group: audience, step: 4, hold_seconds: 1, most: 1000}\n\
         limits: {latency_p99_ms: 10000, loss_percent: 100, gap_ms_per_minute: 60000, late_after_ms: 10000}\n",
    );
    let run = Tester::run(&text, &node.arguments()).wait();
    let ramp = &ended(&run)["ramp"];
    let peers: Vec<_> = ramp["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| &step["peers"])
        .collect();
    let broke = ramp["broke"].as_str().expect("a reason");
    if broke.contains("the tester") {
        // A machine that is too busy for this many: it says so, and finds no knee beyond.
        return;
    }
    assert_eq!(peers, [6, 10]);
    assert_eq!(ramp["knee"], 10);
    assert!(
        broke.contains("takes no more: PARTICIPANT_LIMIT_REACHED"),
        "{broke}"
    );
    assert!(run.said.contains("knee: 10 peers"), "{}", run.said);
    assert!(run.page.as_ref().expect("a page").contains("The ramp"));
}

#[test]
fn a_limit_that_breaks_ends_it() {
    let node = Node::start(&Settings::default());
    let text = scenario(
        "seconds: 600\n\
         groups:\n  \
         - {name: stage, count: 2, role: speaker, talk: always}\n  \
         - {name: audience, count: 0, role: listener}\n\
         ramp: {group: audience, step: 2, hold_seconds: 1, most: 1000}\n\
         limits: {latency_p99_ms: 0}\n",
    );
    let run = Tester::run(&text, &node.arguments()).wait();
    let ramp = &ended(&run)["ramp"];
    assert_eq!(ramp["knee"], serde_json::Value::Null);
    assert!(
        ramp["broke"]
            .as_str()
            .expect("a reason")
            .contains("latency"),
        "{ramp}"
    );
    assert_eq!(ramp["steps"].as_array().map(Vec::len), Some(1));
}
