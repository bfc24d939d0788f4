//! One of two agents is the bottleneck: here, because it is stopped again and again.

mod support;

use std::time::Duration;

use nix::sys::signal::Signal;
use support::{Agent, Node, Settings, Tester, agent::by, failed, scenario};

#[test]
fn an_agent_that_was_held_up_is_named() {
    let node = Node::start(&Settings::default());
    let agents = [Agent::start(&[]), Agent::start(&[])];
    let text = scenario(
        "seconds: 4\ngroups:\n  - {name: people, count: 4, role: speaker, talk: always}\n",
    );
    let mut arguments = node.arguments();
    arguments.extend(by(&[&agents[0], &agents[1]]));
    let tester = Tester::run(&text, &arguments);
    node.wait("all are in", |node| node.participants() == 4);
    // Through most of the time that is measured, but never for so long that it is taken for gone.
    for _ in 0..5 {
        for signal in [Signal::SIGSTOP, Signal::SIGCONT] {
            agents[1].signal(signal);
            // bounded: five seconds in all, of at least five that the run has
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    let run = tester.wait();
    let named = format!("the agent at {}: in ", agents[1].address());
    let complaint = failed(&run, 3);
    assert!(complaint.contains(&named), "{complaint}");
    let report = run.report.as_ref().expect("a report");
    assert_eq!(
        (&report["valid"], &report["complete"]),
        (&false.into(), &true.into())
    );
    assert_eq!(report["agents"][1]["valid"], false);
    let reasons = report["agents"][1]["invalid_because"].to_string();
    assert!(reasons.contains("late"), "{reasons}");
    assert!(
        run.said.contains(&format!("NOT VALID: {named}")),
        "{}",
        run.said
    );
}
