//! SIGHUP gives a tenant another quota of packets, and takes it away again, while its people talk: it holds for rooms that
//! are there, and nobody loses a packet that was not theirs to lose.

mod support;

use std::{
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use support::{Daemon, Folder, Play, configuration};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two who talk all the time, to each other.
const TALK: &str = "\
about: two who talk all the time
seconds: 15
settle_seconds: 2
groups:
  - {name: people, count: 2, role: speaker, talk: always}
";

/// How many datagrams have left, and how many packets were beyond a quota.
#[derive(Debug, Clone, Copy)]
struct Packets {
    sent: u64,
    withheld: u64,
}

fn packets(daemon: &Daemon) -> Packets {
    let (_, text) = daemon.ask_ops("GET", "/metrics", None);
    let sum = |of: &str| -> u64 {
        let lines = text.lines().filter(|line| line.starts_with(of));
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        values.sum()
    };
    Packets {
        sent: sum("stoa_datagrams_sent_total{"),
        withheld: sum("stoa_dropped_total{reason=\"packets_over_quota\""),
    }
}

/// Waits until it is so.
#[track_caller]
fn until(daemon: &Daemon, mut is_so: impl FnMut(Packets) -> bool) {
    let began = Instant::now();
    loop {
        let now = packets(daemon);
        if is_so(now) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{now:?}");
        // bounded: by PATIENCE
        thread::sleep(Duration::from_millis(20));
    }
}

/// Lets the daemon read this configuration, the `number`th since its start.
fn reload(daemon: &Daemon, text: &str, number: usize) {
    daemon.write("stoad.yaml", text);
    daemon.hang_up();
    let read = "the configuration was read again";
    until(daemon, |_| daemon.log().matches(read).count() == number);
}

#[test]
fn a_tenants_quota_changes_while_its_people_talk() {
    let folder = Rc::new(Folder::with_credentials());
    let without = configuration() + "ops:\n  listen: ['127.0.0.1:0']\n";
    folder.write("stoad.yaml", &without);
    let daemon = Daemon::run_in(folder);
    let talking = Play::begin(&daemon, TALK, &[]);
    until(&daemon, |packets| packets.sent > 100);
    assert_eq!(packets(&daemon).withheld, 0, "there is no limit");

    let quotas = "    quotas: {packets_per_second: 20}\n    operator: true\n";
    let with = without.replacen("    operator: true\n", quotas, 1);
    reload(&daemon, &with, 1);
    let applied = r#"applied="tenants[test].quotas.packets_per_second""#;
    assert!(daemon.log().contains(applied), "it waits for a restart");
    until(&daemon, |packets| packets.withheld > 50);

    reload(&daemon, &without, 2);
    // From some moment on, all that is sent is sent without one of them withheld.
    let mut last = packets(&daemon);
    until(&daemon, |now| {
        if now.withheld > last.withheld {
            last = now;
        }
        now.sent > last.sent + 100
    });
    assert!(!talking.is_over(), "nobody talked");
    talking.ends_without_loss(2);
}
