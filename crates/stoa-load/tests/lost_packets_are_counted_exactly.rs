//! What is lost on the way to the listeners is reported, neither more nor less.

mod support;

use support::{Lossy, Node, Settings, Tester, ended, scenario};

#[test]
fn lost_packets_are_counted_exactly() {
    // Two hear one voice each and three hear two: about 400 packets a second. The first are lost in the
    // fourth second that is measured, the last two seconds later.
    let lossy = Lossy::open(2_000, 7, 101);
    let settings = Settings {
        advertise: Some(lossy.address()),
        ..Settings::default()
    };
    let node = Node::start(&settings);
    lossy.lead_to(node.media_port());
    let text = scenario(
        "seconds: 9\n\
         groups:\n  \
         - {name: people, count: 2, role: speaker, talk: always}\n  \
         - {name: audience, count: 3, role: listener}\n",
    );
    let run = Tester::run(&text, &node.arguments()).wait();
    let report = ended(&run);
    let lost = |group: usize| report["groups"][group]["lost"].as_u64().expect("a count");
    assert_eq!(lossy.lost(), 101);
    assert_eq!(lost(0) + lost(1), 101, "{}", run.said);
    let duplicates = |group: usize| report["groups"][group]["duplicate"].as_u64();
    assert_eq!((duplicates(0), duplicates(1)), (Some(0), Some(0)));
}
