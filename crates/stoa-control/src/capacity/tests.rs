use std::time::Instant;

use proptest::prelude::*;

use super::{
    gate::Gate,
    load::{Load, Loads},
    *,
};

/// A node whose second costs what it is told.
struct Node {
    model: Model,
    figures: Figures,
    /// Processor time of a packet, in seconds.
    packet: f64,
    report: Option<Report>,
}

const SECOND: Duration = Duration::from_secs(1);

/// What somebody costs in a silent room: the model's own prior.
const SILENCE: f64 = 18e-6;

impl Node {
    fn new(workers: usize, settings: CapacitySettings) -> Self {
        let at = Instant::now();
        let worker = WorkerFigures {
            at,
            seats: 0,
            busy: Duration::ZERO,
            datagrams_sent: 0,
            bytes_sent: 0,
            datagrams_unsent: 0,
            send_queue: Depth {
                waiting: 0,
                capacity: 4_096,
            },
        };
        let mut node = Self {
            model: Model::new(settings),
            figures: Figures {
                at,
                workers: vec![worker; workers],
                lobbies: vec![Depth {
                    waiting: 0,
                    capacity: 2_048,
                }],
                memory: Some(50 << 20),
            },
            packet: 2e-6,
            report: None,
        };
        node.measure();
        node
    }

    fn people(&self) -> usize {
        self.figures.workers.iter().map(|worker| worker.seats).sum()
    }

    fn measure(&mut self) -> &Report {
        let people = self.people();
        self.report.insert(self.model.take(&self.figures, people))
    }

    fn report(&self) -> &Report {
        self.report.as_ref().expect("it was measured")
    }

    fn fits(&self) -> usize {
        self.report().fits(self.people())
    }

    /// A second in which these many are seated at each worker and each of them gets so many packets.
    fn second(&mut self, seats: &[usize], packets_each: u64) -> &Report {
        self.figures.at += SECOND;
        for (worker, seats) in self.figures.workers.iter_mut().zip(seats) {
            let packets = *seats as u64 * packets_each;
            worker.at += SECOND;
            worker.seats = *seats;
            let busy = packets as f64 * self.packet + *seats as f64 * SILENCE;
            worker.busy += Duration::from_secs_f64(busy.min(1.0));
            worker.datagrams_sent += packets;
            worker.bytes_sent += packets * 130;
        }
        self.measure()
    }

    fn seconds(&mut self, count: usize, seats: &[usize], packets_each: u64) {
        for _ in 0..count {
            self.second(seats, packets_each);
        }
    }
}

fn settings(processors: f64) -> CapacitySettings {
    CapacitySettings {
        processors,
        ..CapacitySettings::default()
    }
}

#[test]
fn an_idle_node_has_the_room_that_its_prior_gives() {
    let mut node = Node::new(2, settings(2.0));
    node.seconds(10, &[0, 0], 0);
    assert_eq!(node.report().level, Level::Normal);
    assert_eq!(node.report().saturation(), 0.0);
    // 150 packets of 4.2 microseconds and the silence, below 0.9 of a worker, and two of them.
    assert_eq!(node.fits(), 2 * 1_388);
}

#[test]
fn growth_teaches_the_right_cost() {
    let mut node = Node::new(1, settings(1.0));
    for seats in (100..=1_000).step_by(10) {
        node.second(&[seats], 150);
    }
    let right = 150.0 * node.packet + SILENCE;
    let cost = node.report().cost.worker;
    assert!((cost / right - 1.0).abs() < 0.1, "{cost} is not {right}");
    let rest = (0.9 - 1_000.0 * right) / right;
    let fits = node.fits() as f64;
    assert!((fits / rest - 1.0).abs() < 0.1, "{fits} are not {rest}");
    // And where a packet costs more than was taken for granted.
    let mut slow = Node::new(1, settings(1.0));
    slow.packet = 12e-6;
    for seats in 20..=200 {
        slow.second(&[seats], 150);
    }
    let right = 150.0 * slow.packet + SILENCE;
    let cost = slow.report().cost.worker;
    assert!((cost / right - 1.0).abs() < 0.1, "{cost} is not {right}");
}

#[test]
fn silence_is_not_room() {
    let mut node = Node::new(1, settings(1.0));
    node.packet = 4e-6;
    node.seconds(30, &[1_000], 150);
    let (talk, fits) = (node.report().saturation(), node.fits());
    node.seconds(3_600, &[1_000], 0);
    let silence = node.report().saturation();
    assert!(
        (silence / talk - 1.0).abs() < 0.05,
        "{silence} after {talk}"
    );
    assert!(
        node.fits().abs_diff(fits) <= fits / 5,
        "{} after {fits}",
        node.fits()
    );
    // A node that has never heard anybody talk says what fits when all slots are taken.
    let mut fresh = Node::new(1, settings(1.0));
    fresh.seconds(60, &[1_000], 0);
    assert!(fresh.fits() < 400, "{}", fresh.fits());
    assert!(fresh.report().saturation() > 0.6);
}

#[test]
fn less_talk_is_believed_slowly() {
    let mut node = Node::new(1, settings(1.0));
    node.seconds(60, &[500], 150);
    let most = node.report().cost.worker;
    node.seconds(60, &[500], 60);
    let soon = node.report().cost.worker;
    assert!(soon > 0.9 * most, "{soon} after {most}");
    node.seconds(3_600, &[500], 60);
    let late = node.report().cost.worker;
    let right = 60.0 * node.packet + SILENCE;
    assert!((late / right - 1.0).abs() < 0.1, "{late} is not {right}");
}

#[test]
fn a_hot_worker_takes_no_rooms_and_the_others_take_listeners() {
    let mut node = Node::new(4, settings(4.0));
    node.packet = 4e-6;
    node.seconds(60, &[1_460, 10, 10, 10], 150);
    let report = node.report();
    assert_eq!(report.workers[0].level, Level::Hard, "{report:?}");
    assert_eq!(report.workers[1].level, Level::Normal);
    assert_eq!(report.level, Level::Normal);
    assert!(report.saturation() < 0.3);
    // What three others hold, and nothing of the first.
    let each = 150.0 * node.packet + SILENCE;
    let others = 3.0 * (0.9 / each - 10.0);
    let fits = node.fits() as f64;
    assert!((fits / others - 1.0).abs() < 0.1, "{fits} are not {others}");
}

#[test]
fn few_processors_for_many_workers_are_the_limit() {
    let mut node = Node::new(4, settings(1.0));
    node.seconds(5, &[0; 4], 0);
    assert!(node.fits() <= 1_388, "{}", node.fits());
}

#[test]
fn a_limit_of_bandwidth_binds() {
    let limited = CapacitySettings {
        bandwidth: Some(100_000_000),
        ..settings(8.0)
    };
    let mut node = Node::new(8, limited);
    node.seconds(60, &[20; 8], 150);
    let report = node.report();
    assert_eq!(report.limiting, Resource::Bandwidth);
    // 160 people, 150 packets of 178 bytes with their headers.
    let taken = 160.0 * 150.0 * 178.0 * 8.0 / 100e6;
    assert!(
        (report.saturation() / taken - 1.0).abs() < 0.02,
        "{report:?}"
    );
    let right = (0.9 - taken) / (taken / 160.0);
    let fits = node.fits() as f64;
    assert!((fits / right - 1.0).abs() < 0.1, "{fits} are not {right}");
}

#[test]
fn memory_that_those_who_left_had_is_free() {
    let limited = CapacitySettings {
        memory: Some(250 << 20),
        ..settings(8.0)
    };
    let mut node = Node::new(1, limited);
    let each = 60 * 1_024;
    let grow = |node: &mut Node, people: u64| {
        node.figures.memory = Some((50 << 20) + people * each);
        node.seconds(10, &[people as usize], 0);
    };
    grow(&mut node, 1_000);
    grow(&mut node, 2_000);
    let full = node.report().ratio(Resource::Memory);
    let right = (50.0 * 1_024.0 + 2_000.0 * 60.0) / (250.0 * 1_024.0);
    assert!((full - right).abs() < 0.03, "{full} is not {right}");
    // They leave, and the process stays as large.
    node.seconds(10, &[1_000], 0);
    let left = node.report().ratio(Resource::Memory);
    let right = (50.0 * 1_024.0 + 1_000.0 * 60.0) / (250.0 * 1_024.0);
    assert!((left - right).abs() < 0.05, "{left} is not {right}");
}

#[test]
fn datagrams_that_wait_in_vain_fill_the_node() {
    let mut node = Node::new(1, settings(1.0));
    for _ in 0..10 {
        node.figures.workers[0].datagrams_unsent += 50;
        node.second(&[10], 50);
    }
    let report = node.report();
    assert_eq!(
        (report.level, report.limiting),
        (Level::Full, Resource::SendQueue)
    );
    assert_eq!(node.fits(), 0);
    node.seconds(20, &[10], 50);
    assert_eq!(node.report().level, Level::Normal);
}

#[test]
fn a_full_lobby_and_a_silent_worker_are_seen() {
    let mut node = Node::new(1, settings(1.0));
    node.figures.lobbies[0].waiting = 2_000;
    node.seconds(10, &[10], 50);
    assert_eq!(node.report().limiting, Resource::Lobby);
    assert!(node.report().level >= Level::Hard);
    let mut node = Node::new(1, settings(1.0));
    for _ in 0..10 {
        // It says nothing more.
        node.figures.at += SECOND;
        node.measure();
    }
    assert_eq!(node.report().level, Level::Full);
}

#[test]
fn at_the_limit_one_may_come_for_one_who_leaves() {
    let mut node = Node::new(1, settings(1.0));
    node.packet = 4e-6;
    // 618 microseconds each: 0.9 are 1,456.
    node.seconds(30, &[1_456], 150);
    let report = node.report();
    assert_eq!((report.level, node.fits()), (Level::Hard, 0));
    assert_eq!(report.fits(1_455), 1);
    // Speakers still come.
    assert!(report.stage.0 > 1_500, "{report:?}");
    // What the noise of a measurement says is not believed.
    for packets in [149, 148, 150, 147] {
        node.second(&[1_456], packets);
        assert_eq!((node.report().level, node.fits()), (Level::Hard, 0));
    }
    // When a tenth has left it is open again.
    node.seconds(10, &[1_300], 150);
    assert_eq!(node.report().level, Level::Soft);
    assert!(node.fits() > 100);
    node.seconds(10, &[1_000], 150);
    assert_eq!(node.report().level, Level::Normal);
}

#[test]
fn a_closed_gate_does_not_believe_noise() {
    let loads = |ratio| Loads {
        node: vec![Load {
            resource: Resource::Workers,
            ratio,
            cost: 0.001,
        }],
        workers: vec![ratio],
        worker_cost: 0.001,
        coming: 0,
        seats_left: usize::MAX,
    };
    let mut gate = Gate::new(0.9);
    let mut measure = |people, ratio| {
        gate.measure(people, &loads(ratio));
        (gate.is_closed, gate.allowed)
    };
    assert_eq!(measure(100, 0.8), (false, 200));
    assert_eq!(measure(200, 0.905), (true, 200));
    for noise in [0.88, 0.86, 0.851, 0.899] {
        assert_eq!(measure(200, noise), (true, 200));
    }
    // For one who leaves one may come; where it is too full, none.
    assert_eq!(measure(199, 0.87), (true, 200));
    assert_eq!(measure(198, 0.91), (true, 198));
    assert_eq!(measure(198, 0.84), (false, 258));
}

#[test]
fn those_who_are_on_their_way_are_counted() {
    let mut node = Node::new(1, settings(1.0));
    let fits = node.fits();
    node.figures.at += SECOND;
    node.figures.workers[0].at += SECOND;
    let report = node.model.take(&node.figures, 1_000);
    assert_eq!(report.fits(1_000), fits - 1_000);
}

#[test]
fn what_is_refused_goes_by_the_order() {
    let capacity = Capacity::new(settings(1.0));
    // Before anything was measured all is taken.
    assert!(capacity.may_create(0).is_ok());
    let mut node = Node::new(1, settings(1.0));
    node.packet = 4e-6;
    let mut taken = |seats: usize| {
        node.seconds(30, &[seats], 150);
        capacity.state().report = Some(Arc::new(node.report().clone()));
        let refused = |result: Result<(), Failure>| {
            result.is_err_and(|failure| {
                assert_eq!(failure.reason(), ErrorReason::NodeSaturated);
                assert!(failure.retry_after().is_some());
                true
            })
        };
        (
            refused(capacity.may_create(0)),
            refused(capacity.may_join(Role::Listener, 0, seats)),
            refused(capacity.may_join(Role::Speaker, 0, seats)),
        )
    };
    assert_eq!(taken(1_000), (false, false, false));
    assert_eq!(taken(1_250), (true, false, false));
    assert_eq!(taken(1_470), (true, true, false));
    assert_eq!(taken(1_600), (true, true, true));
    let refused = capacity.refused();
    assert_eq!(refused[&(Newcomer::Room, Resource::Workers)], 3);
    assert_eq!(refused[&(Newcomer::Stage, Resource::Workers)], 1);
}

proptest! {
    /// Whatever happens, what is said is possible, and with more people no more fit.
    #[test]
    fn what_is_said_is_possible(seconds in prop::collection::vec((0_usize..3_000, 0_usize..3_000, 0_u64..400), 1..60)) {
        let mut node = Node::new(2, CapacitySettings { bandwidth: Some(500_000_000), ..settings(2.0) });
        for (first, second, packets) in seconds {
            node.second(&[first, second], packets);
            let report = node.report();
            for (_, ratio) in &report.ratios {
                prop_assert!(ratio.is_finite() && *ratio >= 0.0);
            }
            prop_assert!(report.cost.worker > 0.0 && report.cost.worker < 1.0);
            prop_assert!(report.listeners.0 <= report.stage.0);
            let people = first + second;
            prop_assert!(report.fits(people + 1) <= report.fits(people));
            if report.saturation() >= 0.9 {
                prop_assert_eq!(report.fits(people), 0);
            }
        }
    }
}
