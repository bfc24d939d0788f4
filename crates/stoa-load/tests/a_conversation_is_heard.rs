//! People talk with each other, and the report says what they heard.

mod support;

use support::{Node, Settings, Tester, ended, scenario};

#[test]
fn a_conversation_is_heard() {
    let node = Node::start(&Settings::default());
    let text = scenario(
        "seconds: 6\n\
         groups:\n  \
         - {name: people, count: 4, role: speaker, talk: conversation}\n  \
         - {name: audience, count: 70, role: listener, joins_per_second: 200}\n",
    );
    let mut arguments = node.arguments();
    arguments.extend(["--server-pid".to_owned(), std::process::id().to_string()]);
    let run = Tester::run(&text, &arguments).wait();
    let report = ended(&run);

    assert_eq!(report["joins"]["connected"], 74);
    for (group, peers) in [(0, 4), (1, 70)] {
        let group = &report["groups"][group];
        assert_eq!(group["peers"], peers);
        let count = |name: &str| group[name].as_i64().expect("a count");
        assert!(count("received") > 0 && count("checked") > 0, "{group}");
        // Loopback loses nothing, and whoever is looked at hears what was said.
        let wrong = [
            "lost",
            "duplicate",
            "corrupt",
            "own_voice",
            "wrong_voice",
            "forbidden",
        ];
        assert_eq!(wrong.map(count), [0; 6], "{group}");
        assert!(group["latency_ms"]["p50"].as_f64().expect("a latency") > 0.0);
    }
    // Many more are counted than looked at.
    let audience = &report["groups"][1];
    assert!(audience["checked"].as_u64() < audience["received"].as_u64());
    assert_eq!(report["measured_seconds"], 6);
    let server = &report["server"];
    assert!(server["cpu_percent"].as_f64().expect("it was measured") > 0.0);
    assert!(server["sent"].as_u64().expect("a count") > 0);

    // Everything is in the page, and nothing of it comes from elsewhere.
    let page = run.page.as_ref().expect("a page");
    for part in [
        "<svg",
        "Latency added",
        "Server CPU",
        "count: 70",
        "stoa-load: scenario",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["src=", "href=", "@import", "url("] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(run.said.contains("latency, ms"), "{}", run.said);
    node.wait("all rooms are closed", |node| node.rooms() == 0);
}
