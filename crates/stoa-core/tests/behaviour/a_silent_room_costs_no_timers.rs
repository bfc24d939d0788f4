//! Who is heard is reported at most twice a second, and when everybody is silent that is said once;
//! then the room's ranking rests.

use std::time::Duration;

use stoa_core::{ActiveSpeakers, Output, RoomEventKind, TimeoutReason};
use stoa_sim::Net;

fn reports(net: &Net) -> Vec<(Duration, ActiveSpeakers)> {
    let events = net.events.iter();
    events
        .filter_map(|(at, event)| match &event.kind {
            RoomEventKind::ActiveSpeakers(active) => Some((*at, active.clone())),
            _ => None,
        })
        .collect()
}

/// What the node wants to be woken for next.
fn next_timeout(net: &mut Net) -> TimeoutReason {
    match net.node.poll_output() {
        Output::Timeout { why, .. } => why,
        output => panic!("the node was drained: {output:?}"),
    }
}

#[test]
fn reports_come_twice_a_second_and_end() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.run_for(Duration::from_secs(10));
    assert_eq!(reports(&net), [], "nobody has talked yet");

    net.speak(&[(ann, 40), (ben, 20)], Duration::from_secs(5));
    let silent_from = net.elapsed();
    // Their microphones stay open.
    net.speak(&[(ann, 127), (ben, 127)], Duration::from_secs(30));

    let reports = reports(&net);
    for pair in reports.windows(2) {
        let between = pair[1].0 - pair[0].0;
        assert!(between >= Duration::from_millis(500), "{between:?}");
    }
    let during = reports.iter().filter(|(at, _)| *at < silent_from);
    assert!((9..=11).contains(&during.count()), "{reports:?}");
    // Loudest first, with the smoothed level.
    let (_, settled) = &reports[5];
    let who: Vec<_> = settled
        .speakers
        .iter()
        .map(|(who, _)| who.as_str())
        .collect();
    assert_eq!(who, ["ben", "ann"]);
    assert_eq!(settled.dominant.as_ref().unwrap().as_str(), "ben");
    let levels: Vec<_> = settled
        .speakers
        .iter()
        .map(|(_, level)| level.minus_dbov())
        .collect();
    assert!(
        (20..=21).contains(&levels[0]) && (40..=41).contains(&levels[1]),
        "{levels:?}"
    );

    let (at, last) = reports.last().unwrap();
    assert_eq!(
        *last,
        ActiveSpeakers::default(),
        "in the end nobody is heard"
    );
    assert!(*at < silent_from + Duration::from_secs(3));
    let empty = reports
        .iter()
        .filter(|(_, active)| active.speakers.is_empty());
    assert_eq!(empty.count(), 1);
}

#[test]
fn the_ranking_rests_while_nobody_talks() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.speak(&[(ann, 30)], Duration::from_secs(1));
    assert_eq!(next_timeout(&mut net), TimeoutReason::Ranking);
    net.run_for(Duration::from_secs(5));
    net.vanish(ann);
    net.vanish(ben);
    let mut asleep = 0;
    net.wakes = 0;
    for _ in 0..90 {
        net.run_for(Duration::from_millis(100));
        asleep += usize::from(next_timeout(&mut net) != TimeoutReason::Ranking);
    }
    assert_eq!(asleep, 90);
    // In 9 s: each session's own timers every few seconds, not ten times a second.
    assert!(net.wakes < 20, "woken {} times", net.wakes);
}

#[test]
fn an_empty_room_never_wakes_the_node() {
    let mut net = Net::new();
    net.run_for(Duration::from_secs(60));
    assert_eq!(next_timeout(&mut net), TimeoutReason::Idle);
    assert_eq!(net.wakes, 0);
}
