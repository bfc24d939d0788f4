//! A server that does not take the caller, or nobody more, or does not tell them everything.

mod support;

use support::{Node, Settings, Tester, ended, failed, scenario};

fn talkers(count: u32) -> String {
    let group = format!("{{name: people, count: {count}, role: speaker, talk: always}}");
    scenario(&format!("seconds: 2\ngroups:\n  - {group}\n"))
}

#[test]
fn a_caller_that_is_not_taken_learns_why() {
    let node = Node::start(&Settings::default());
    let run = |key, ca| Tester::run(&talkers(1), &node.arguments_with(key, ca)).wait();
    let unknown = run("other-key", "ca.pem");
    let complaint = failed(&unknown, 69);
    assert!(
        complaint.contains("does not take the calls: CREDENTIAL_INVALID"),
        "{complaint}"
    );
    let untrusted = run("api-key", "other-ca.pem");
    assert!(failed(&untrusted, 69).contains("cannot connect"));
    let empty = run("no-key", "ca.pem");
    assert!(failed(&empty, 69).contains("no key on its first line"));
    let missing = run("nothing", "ca.pem");
    assert!(failed(&missing, 66).contains("cannot read"));
    let mut nowhere = node.arguments();
    nowhere[1] = "https://127.0.0.1:9".to_owned();
    let nobody = Tester::run(&talkers(1), &nowhere).wait();
    assert!(failed(&nobody, 69).contains("cannot connect to the server at https://127.0.0.1:9"));
}

#[test]
fn those_who_are_refused_are_counted() {
    let settings = Settings {
        most_in_a_room: Some(2),
        is_not_operator: true,
        ..Settings::default()
    };
    let node = Node::start(&settings);
    let run = Tester::run(&talkers(5), &node.arguments()).wait();
    let report = ended(&run);
    let joins = &report["joins"];
    assert_eq!(
        (&joins["asked"], &joins["connected"]),
        (&5.into(), &2.into())
    );
    assert_eq!(joins["refused"]["PARTICIPANT_LIMIT_REACHED"], 3);
    assert_eq!(report["groups"][0]["peers"], 2);
    // Nor is such a caller told what the node does.
    assert_eq!(report["server"]["sent"], serde_json::Value::Null);
    assert!(
        run.said.contains("does not tell this caller"),
        "{}",
        run.said
    );
}
