//! One of two agents ends in the middle of a run.

mod support;

use support::{Agent, Node, Settings, Tester, agent::by, failed, scenario};

#[test]
fn an_agent_that_dies_is_named() {
    let node = Node::start(&Settings::default());
    let mut agents = [Agent::start(&[]), Agent::start(&[])];
    let text = scenario(
        "seconds: 600\ngroups:\n  - {name: people, count: 4, role: speaker, talk: always}\n",
    );
    let mut arguments = node.arguments();
    arguments.extend(by(&[&agents[0], &agents[1]]));
    let tester = Tester::run(&text, &arguments);
    node.wait("all are in", |node| node.participants() == 4);
    agents[1].kill();
    let run = tester.wait();

    let gone = format!(
        "the agent at {} is gone: nothing is heard from it",
        agents[1].address()
    );
    let complaint = failed(&run, 1);
    assert!(
        complaint.contains(&format!("the run is partial: {gone}")),
        "{complaint}"
    );
    let report = run.report.as_ref().expect("a report");
    assert_eq!(report["complete"], false);
    assert_eq!(report["partial_because"], gone);
    assert_eq!(report["agents"][1]["valid"], false);
    assert_eq!(report["agents"][1]["invalid_because"][0], gone);
    assert!(
        !report["agents"][0].to_string().contains("is gone"),
        "{report}"
    );
    assert!(
        run.page
            .expect("a page")
            .contains(&format!("PARTIAL: {gone}"))
    );
    // Those of the other one have left, and so has everybody with the rooms.
    agents[0].hear("The coordinator is gone, and so are all peers");
    assert_eq!((node.participants(), node.rooms()), (0, 0));
}
