//! Whether a run's figures are the server's, or show how slow the tester was.

use std::collections::BTreeSet;

use crate::report::{Second, Tester};

/// How late is too late: the length of a packet. Whoever speaks later than that makes jitter of their own.
const LATEST_MS: f64 = 20.0;

/// How much of a core a thread may use: beyond that, it has no time to be in time.
const BUSIEST_PERCENT: f64 = 90.0;

/// What of a core others may use of the machine on which the server is, where less than the other is left idle:
/// both get less than they want then.
const OTHERS_PERCENT: f64 = 20.0;
const LEAST_IDLE_PERCENT: f64 = 20.0;

/// In how many of 100 seconds the tester may be late or busy; in one second it always may.
const BAD_SECONDS_PERCENT: usize = 5;

/// What makes the figures the tester's own, or those of one of its agents, who is named then.
pub(crate) fn bottlenecks(seconds: &[&Second]) -> Vec<String> {
    let names: BTreeSet<&String> = seconds
        .iter()
        .flat_map(|second| second.agents.keys())
        .collect();
    // With agents there are no peers here, and what others take away from the server still counts.
    let own = seconds.iter().map(|second| match names.is_empty() {
        true => second.tester,
        false => Tester {
            others_percent: second.tester.others_percent,
            idle_percent: second.tester.idle_percent,
            ..Tester::default()
        },
    });
    let mut reasons = tester_was_the_bottleneck(&own.collect::<Vec<_>>());
    for name in names {
        let of_agent = seconds.iter().filter_map(|second| second.agents.get(name));
        let testers: Vec<Tester> = of_agent.map(|second| second.tester).collect();
        let of_agent = tester_was_the_bottleneck(&testers);
        reasons.extend(
            of_agent
                .into_iter()
                .map(|why| format!("the agent at {name}: {why}")),
        );
    }
    reasons
}

/// What makes the figures the tester's own; nothing, where they are good.
pub(crate) fn tester_was_the_bottleneck(seconds: &[Tester]) -> Vec<String> {
    let mut reasons = Vec::new();
    let sum = |of: fn(&Tester) -> u64| seconds.iter().map(of).sum::<u64>();
    let dropped = sum(|second| second.dropped);
    if dropped > 0 {
        reasons.push(format!(
            "the kernel dropped {dropped} datagrams because the tester did not read them in time: raise \
             net.core.rmem_max, or load less from this machine"
        ));
    }
    let unsent = sum(|second| second.unsent);
    if unsent > 0 {
        reasons.push(format!("{unsent} datagrams of the tester were never sent"));
    }
    let too_many = |count: usize| count > 1 && count * 100 > BAD_SECONDS_PERCENT * seconds.len();
    let late = seconds
        .iter()
        .filter(|second| second.lag_p99_ms > LATEST_MS)
        .count();
    if too_many(late) {
        reasons.push(format!(
            "in {late} of {} seconds the tester was more than {LATEST_MS} ms late with what it had to do",
            seconds.len()
        ));
    }
    let busy = seconds
        .iter()
        .filter(|second| second.busiest_percent > BUSIEST_PERCENT)
        .count();
    if too_many(busy) {
        reasons.push(format!(
            "in {busy} of {} seconds a thread of the tester used more than {BUSIEST_PERCENT} % of a core: give \
             it more with --threads, or look at fewer peers with --verify",
            seconds.len()
        ));
    }
    let takes_away = |second: &&Tester| {
        second
            .others_percent
            .is_some_and(|others| others > OTHERS_PERCENT)
            && second
                .idle_percent
                .is_some_and(|idle| idle < LEAST_IDLE_PERCENT)
    };
    let taken = seconds.iter().filter(takes_away).count();
    if too_many(taken) {
        reasons.push(format!(
            "in {taken} of {} seconds other programs took the processor away from the server and the tester: \
             end them",
            seconds.len()
        ));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report;

    const GOOD: Tester = Tester {
        lag_p99_ms: 2.0,
        busiest_percent: 60.0,
        cpu_percent: 100.0,
        dropped: 0,
        unsent: 0,
        memory_bytes: None,
        others_percent: Some(100.0),
        idle_percent: Some(100.0),
    };

    fn with(count: usize, bad: Tester) -> Vec<String> {
        let mut seconds = vec![GOOD; 100];
        seconds[..count].fill(bad);
        tester_was_the_bottleneck(&seconds)
    }

    #[test]
    fn a_tester_that_is_in_time_is_none() {
        assert!(tester_was_the_bottleneck(&[GOOD; 60]).is_empty());
        assert!(tester_was_the_bottleneck(&[]).is_empty());
    }

    #[test]
    fn one_late_second_is_forgiven_and_many_are_not() {
        let late = Tester {
            lag_p99_ms: 21.0,
            ..GOOD
        };
        assert!(with(5, late).is_empty());
        assert!(with(6, late)[0].contains("6 of 100 seconds"));
    }

    #[test]
    fn a_busy_thread_is_told() {
        let busy = Tester {
            busiest_percent: 97.0,
            ..GOOD
        };
        assert!(with(4, busy).is_empty());
        assert!(with(50, busy)[0].contains("--threads"));
    }

    #[test]
    fn a_slow_agent_is_named_among_those_that_are_not() {
        let second = |lag_p99_ms| {
            let slow = Tester { lag_p99_ms, ..GOOD };
            let of = |tester| report::AgentSecond { peers: 1, tester };
            Second {
                tester: slow,
                agents: [("good:1", of(GOOD)), ("slow:1", of(slow))]
                    .map(|(name, second)| (name.to_owned(), second))
                    .into(),
                ..Second::default()
            }
        };
        let judge = |seconds: &[Second]| bottlenecks(&seconds.iter().collect::<Vec<_>>());
        assert!(judge(&[second(1.0), second(1.0)]).is_empty());
        let [reason] = &judge(&[second(50.0), second(50.0)])[..] else {
            panic!("one reason");
        };
        assert!(
            reason.starts_with("the agent at slow:1: in 2 of 2 seconds"),
            "{reason}"
        );
    }

    #[test]
    fn other_programs_may_run_where_there_is_room_for_all() {
        let taken = Tester {
            idle_percent: Some(3.0),
            ..GOOD
        };
        assert!(with(5, taken).is_empty());
        assert!(with(6, taken)[0].contains("other programs"));
        // A machine that is busy with the test alone.
        let alone = Tester {
            others_percent: Some(4.0),
            ..taken
        };
        assert!(with(100, alone).is_empty());
    }

    #[test]
    fn whatever_the_tester_lost_itself_is_told() {
        let dropped = Tester { dropped: 3, ..GOOD };
        assert!(with(1, dropped)[0].contains("3 datagrams"));
        let unsent = Tester { unsent: 1, ..GOOD };
        assert_eq!(
            with(2, unsent),
            ["2 datagrams of the tester were never sent"]
        );
    }
}
