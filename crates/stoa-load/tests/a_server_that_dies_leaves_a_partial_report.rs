//! The server ends in the middle of a run.

mod support;

use support::{Node, Settings, Tester, failed, scenario};

#[test]
fn a_server_that_dies_leaves_a_partial_report() {
    let mut node = Node::start(&Settings::default());
    let text = scenario(
        "seconds: 600\ngroups:\n  - {name: people, count: 3, role: speaker, talk: always}\n",
    );
    let tester = Tester::run(&text, &node.arguments());
    node.wait("all are in", |node| node.participants() == 3);
    node.crash();
    let run = tester.wait();
    let complaint = failed(&run, 1);
    assert!(
        complaint.contains("the run is partial: the server is gone"),
        "{complaint}"
    );
    let report = run.report.as_ref().expect("a report");
    assert_eq!(report["complete"], false);
    let why = report["partial_because"].as_str().expect("a reason");
    assert!(why.contains("does not answer any more"), "{why}");
    assert!(run.page.expect("a page").contains("PARTIAL"));
    assert!(
        run.said.contains("PARTIAL: the server is gone"),
        "{}",
        run.said
    );
}
