//! The server, and two agents with a network namespace each, as if they were three machines.

mod support;

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::MetadataExt as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{Agent, Node, Settings, Tester, agent::by, ended, scenario};

/// Tells the process of the test that it is inside.
const INSIDE: &str = "STOA_LOAD_TEST_INSIDE";

/// How long anything may take that one waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);

/// The server's machine: a link to each of the others, and no way anywhere else.
const SERVER: &str = "ip link set lo up \
    && for n in 1 2; do \
        ip link add server$n type veth peer name agent$n \
        && ip address add 10.92.$n.1/24 dev server$n \
        && ip link set server$n up || exit; \
    done \
    && exec \"$0\" \"$@\"";

/// An agent's machine, which is given its end of the link while this waits.
const AGENT: &str = "until ip link show dev agent$N >/dev/null 2>&1; do sleep 0.02; done; \
    ip link set lo up \
    && ip address add 10.92.$N.2/24 dev agent$N \
    && ip link set agent$N up \
    && ip route add default via 10.92.$N.1 \
    && exec \"$0\" \"$@\"";

#[test]
fn agents_on_machines_of_their_own() {
    if std::env::var_os(INSIDE).is_some() {
        return play();
    }
    let mut unshare = Command::new("unshare");
    // Without the right to make one, a user namespace gives it.
    if fs::metadata("/proc/self").expect("Linux").uid() != 0 {
        unshare.args(["--user", "--map-root-user"]);
    }
    let mut inside = unshare
        .args(["--net", "sh", "-c", SERVER])
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", "agents_on_machines_of_their_own", "--nocapture"])
        .env(INSIDE, "yes")
        .spawn()
        .expect("unshare of util-linux");
    let began = Instant::now();
    let status = loop {
        if let Some(status) = inside.try_wait().expect("it is our child") {
            break status;
        }
        if began.elapsed() > PATIENCE {
            drop(inside.kill());
        }
        // bounded: by PATIENCE
        std::thread::sleep(LOOK);
    };
    assert!(status.success(), "{status}; what it said stands above");
}

fn play() {
    let node = Node::start(&Settings {
        address: Some(Ipv4Addr::new(10, 92, 1, 1)),
        ..Settings::default()
    });
    let agents = [machine(1, "-700"), machine(2, "700")];
    let text = scenario(
        "seconds: 4\nroom: {slots: 4}\ngroups:\n  \
         - {name: loud, count: 2, role: speaker, talk: always}\n  \
         - {name: people, count: 2, role: speaker, talk: conversation}\n  \
         - {name: audience, count: 20, role: listener}\n",
    );
    let mut arguments = node.arguments();
    arguments.extend(by(&[&agents[0], &agents[1]]));
    arguments.extend(["--verify", "1/1"].map(str::to_owned));
    let run = Tester::run(&text, &arguments).wait();
    let report = ended(&run);
    for group in report["groups"].as_array().expect("groups") {
        let count = |name: &str| group[name].as_i64().expect("a count");
        assert!(count("received") > 0 && count("checked") > 0, "{group}");
        let wrong = ["lost", "duplicate", "corrupt", "own_voice", "wrong_voice"];
        assert_eq!(wrong.map(count), [0; 5], "{group}");
        // A second and more, if the clocks were believed.
        let latency = group["latency_ms"]["max"].as_f64().expect("a latency");
        assert!(latency < 700.0, "{group}");
    }
    for agent in report["agents"].as_array().expect("agents") {
        assert_eq!(agent["peers"], 12, "{agent}");
    }
}

/// An agent that is at its machine.
fn machine(number: u8, clock_ahead_ms: &str) -> Agent {
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--net", "sh", "-c", AGENT, env!("CARGO_BIN_EXE_stoa-load")])
        .env("N", number.to_string());
    let listen = format!("10.92.{number}.2:7600");
    let arguments = [
        "--listen",
        &listen,
        "--threads",
        "1",
        "--clock-ahead-ms",
        clock_ahead_ms,
    ];
    let mut agent = Agent::spawn(unshare, &arguments);
    let process = agent.process();
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
    let began = Instant::now();
    while namespace(&process.to_string()) == namespace("self") {
        assert!(began.elapsed() < PATIENCE, "unshare makes no namespace");
        // bounded: by PATIENCE
        std::thread::sleep(LOOK);
    }
    let given = Command::new("ip")
        .args([
            "link",
            "set",
            &format!("agent{number}"),
            "netns",
            &process.to_string(),
        ])
        .stdin(Stdio::null())
        .status()
        .expect("ip of iproute2");
    assert!(given.success(), "{given}");
    agent.listens();
    agent
}
