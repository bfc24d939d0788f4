//! Two agents have the peers of one run, and the clock of one of them is wrong: people at one hear those at the
//! other completely, and the latency is as if there were one clock.

mod support;

use support::{Agent, Node, Settings, Tester, agent::by, ended, scenario};

/// How far the one clock is off, in milliseconds. No packet takes as long.
const AHEAD: f64 = 5_000.0;

#[test]
fn agents_play_as_one_tester() {
    let node = Node::start(&Settings::default());
    let agents = [
        Agent::start(&["--clock-ahead-ms", "5000"]),
        Agent::start(&[]),
    ];
    // Each speaker is at another agent, so nobody hears anybody at their own one.
    let text = scenario(
        "seconds: 3\ngroups:\n  - {name: people, count: 2, role: speaker, talk: always}\n",
    );
    let mut arguments = node.arguments();
    arguments.extend(by(&[&agents[0], &agents[1]]));
    arguments.extend(["--verify", "1/1"].map(str::to_owned));
    let run = Tester::run(&text, &arguments).wait();
    let report = ended(&run);

    let people = &report["groups"][0];
    let count = |name: &str| people[name].as_i64().expect("a count");
    assert_eq!(count("peers"), 2);
    assert!(
        count("received") > 250 && count("checked") == count("received"),
        "{people}"
    );
    assert_eq!(
        ["lost", "corrupt", "wrong_voice", "own_voice"].map(count),
        [0; 4]
    );
    let latency = people["latency_ms"]["max"].as_f64().expect("a latency");
    assert!(latency < AHEAD / 2.0, "{people}");
    // And not by being taken for none.
    let least = people["latency_ms"]["p50"].as_f64().expect("a latency");
    let within = report["latency_within_ms"].as_f64().expect("two clocks");
    assert!(within > 0.0 && least + within > 0.0, "{report}");

    for (described, (agent, ahead)) in report["agents"]
        .as_array()
        .expect("agents")
        .iter()
        .zip([(&agents[0], AHEAD), (&agents[1], 0.0)])
    {
        assert_eq!(described["address"], agent.address());
        assert_eq!(
            (&described["peers"], &described["share_percent"]),
            (&1.into(), &50.0.into())
        );
        assert_eq!(described["machine"]["tester_threads"], 1);
        let figure = |name: &str| described[name].as_f64().expect("a figure");
        // They are on one machine, so what is known of their clocks is known here, too.
        let off = (figure("clock_ahead_ms") - ahead).abs();
        assert!(off <= figure("clock_within_ms"), "{described}");
        assert!(run.said.contains(agent.address()), "{}", run.said);
        assert!(run.page.as_ref().expect("a page").contains(agent.address()));
    }
    assert_eq!(report["agents"].as_array().map(Vec::len), Some(2));
    node.wait("all rooms are closed", |node| node.rooms() == 0);
}

#[test]
fn rights_that_are_taken_away_are_watched_by_one_clock() {
    let node = Node::start(&Settings::default());
    let agents = [
        Agent::start(&["--clock-ahead-ms", "5000"]),
        Agent::start(&[]),
    ];
    let text = scenario(
        "seconds: 4\nroom: {speak_policy: speakers_only}\ngroups:\n  \
         - {name: audience, count: 4, role: listener, talk: always}\n\
         moderation: {group: audience, per_second: 5}\n",
    );
    let mut arguments = node.arguments();
    arguments.extend(by(&[&agents[0], &agents[1]]));
    arguments.extend(["--verify", "1/1"].map(str::to_owned));
    let run = Tester::run(&text, &arguments).wait();
    let report = ended(&run);
    let moderation = &report["moderation"];
    assert!(moderation["promoted"].as_u64() > Some(2), "{moderation}");
    assert_eq!(moderation["unheard"], 0, "{moderation}");
    let audible = moderation["audible_ms"]["max"].as_f64().expect("some");
    assert!(audible < AHEAD / 2.0, "{moderation}");
    // Nor was anybody heard who was sent back, though by a clock they said later what they said before.
    assert_eq!(report["groups"][0]["forbidden"], 0, "{report}");
}
