//! Some have a bad network: they lose what it loses, and the others nothing.

mod support;

use support::{Node, Settings, Tester, ended, scenario};

#[test]
fn a_bad_network_is_counted_apart() {
    let node = Node::start(&Settings::default());
    let text = scenario(
        "seconds: 6\n\
         groups:\n  \
         - {name: stage, count: 2, role: speaker, talk: always}\n  \
         - {name: audience, count: 4, role: listener}\n  \
         - {name: impaired, count: 12, role: listener, \
              network: {loss_percent: 10, delay_ms: 30, jitter_ms: 10, reorder_percent: 5}}\n",
    );
    let run = Tester::run(&text, &node.arguments()).wait();
    let report = ended(&run);
    let group = |number: usize| &report["groups"][number];
    assert_eq!(group(1)["lost"], 0);
    // What is lost of a handshake is sent again.
    assert_eq!(report["joins"]["failed"], serde_json::json!({}));
    let loss = group(2)["loss_percent"].as_f64().expect("a share");
    assert!((5.0..15.0).contains(&loss), "{loss}");
    assert!(group(2)["reordered"].as_u64() > Some(0));
    assert!(
        group(2)["latency_ms"]["p50"].as_f64() > Some(30.0),
        "{}",
        group(2)
    );
    // Its limits are those of the others.
    let limits = report["limits_broken"].to_string();
    assert!(!limits.contains("loss"), "{limits}");
    assert_eq!(group(2)["impaired"], true);
}
