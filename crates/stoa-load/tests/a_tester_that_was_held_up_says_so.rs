//! The tester itself is the bottleneck: here, because it is stopped again and again.

mod support;

use std::time::Duration;

use nix::sys::signal::Signal;
use support::{Node, Settings, Tester, failed, scenario};

#[test]
fn a_tester_that_was_held_up_says_so() {
    let node = Node::start(&Settings::default());
    let text = scenario(
        "seconds: 8\ngroups:\n  - {name: people, count: 3, role: speaker, talk: always}\n",
    );
    let tester = Tester::run(&text, &node.arguments());
    node.wait("all are in", |node| node.participants() == 3);
    // Into the time that is measured, and through most of it: half of each second it does not run.
    for _ in 0..7 {
        for signal in [Signal::SIGSTOP, Signal::SIGCONT] {
            tester.signal(signal);
            // bounded: seven seconds in all, of nine that the run has
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    let run = tester.wait();
    let complaint = failed(&run, 3);
    assert!(complaint.contains("the run is not valid"), "{complaint}");
    let report = run.report.as_ref().expect("a report");
    assert_eq!(
        (&report["valid"], &report["complete"]),
        (&false.into(), &true.into())
    );
    assert!(
        report["invalid_because"].to_string().contains("late"),
        "{report}"
    );
    assert!(run.said.contains("NOT VALID"), "{}", run.said);
}
