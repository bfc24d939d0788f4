//! Ctrl-C in the middle of a run.

mod support;

use nix::sys::signal::Signal;
use support::{Node, Settings, Tester, failed, scenario};

#[test]
fn an_interrupted_run_closes_its_peers() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let node = Node::start(&Settings::default());
        let text = scenario(
            "seconds: 600\ngroups:\n  - {name: people, count: 5, role: speaker, talk: always}\n",
        );
        let tester = Tester::run(&text, &node.arguments());
        node.wait("all are in", |node| node.participants() == 5);
        tester.signal(signal);
        let run = tester.wait();
        let complaint = failed(&run, 1);
        assert!(
            complaint.contains("the run is partial: interrupted"),
            "{complaint}"
        );
        assert_eq!(
            run.report.expect("a report")["partial_because"],
            "interrupted"
        );
        // Nobody has to wait for a timeout.
        assert_eq!((node.participants(), node.rooms()), (0, 0));
    }
}
