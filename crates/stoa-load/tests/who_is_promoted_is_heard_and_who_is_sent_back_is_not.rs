//! Moderation under load: from the call to the first packet, and none after the right is taken away.

mod support;

use support::{Node, Settings, Tester, ended, scenario};

#[test]
fn who_is_promoted_is_heard_and_who_is_sent_back_is_not() {
    let node = Node::start(&Settings::default());
    let text = scenario(
        "seconds: 5\n\
         room: {speak_policy: speakers_only}\n\
         groups:\n  \
         - {name: stage, count: 1, role: speaker, talk: always}\n  \
         - {name: hands, count: 3, role: listener, talk: always}\n  \
         - {name: audience, count: 4, role: listener}\n\
         moderation: {group: hands, per_second: 2}\n",
    );
    let run = Tester::run(&text, &node.arguments()).wait();
    let report = ended(&run);
    let moderation = &report["moderation"];
    assert!(
        moderation["promoted"].as_u64().expect("a count") >= 2,
        "{moderation}"
    );
    assert_eq!(moderation["unheard"], 0);
    assert!(moderation["audible_ms"]["p50"].as_f64().expect("a time") > 0.0);
    for group in report["groups"].as_array().expect("groups") {
        assert_eq!(group["forbidden"], 0, "{group}");
        assert_eq!(group["wrong_voice"], 0, "{group}");
    }
}
