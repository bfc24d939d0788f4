//! Churn: some leave, some are cut off and come back, and nobody is left over.

mod support;

use support::{Node, Settings, Tester, ended, scenario};

#[test]
fn listeners_come_and_go() {
    let node = Node::start(&Settings::default());
    let text = scenario(
        "seconds: 6\n\
         room: {speak_policy: speakers_only}\n\
         groups:\n  \
         - {name: stage, count: 2, role: speaker, talk: always}\n  \
         - {name: audience, count: 10, role: listener}\n\
         churn: {group: audience, per_second: 4, reconnect_percent: 50}\n",
    );
    let run = Tester::run(&text, &node.arguments()).wait();
    let report = ended(&run);
    let joins = &report["joins"];
    assert!(
        joins["connected"].as_u64().expect("a count") >= 20,
        "{joins}"
    );
    assert_eq!(joins["refused"], serde_json::json!({}), "{joins}");
    assert_eq!(joins["failed"], serde_json::json!({}), "{joins}");
    assert_eq!(report["groups"][1]["lost"], 0, "{}", run.said);
    assert_eq!((node.participants(), node.rooms()), (0, 0));
}
