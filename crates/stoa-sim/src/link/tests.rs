//! Statistical bounds over many draws of fixed seeds.

use super::*;

const SPACING: Duration = Duration::from_millis(20);

fn wire(seed: u64, link: Link) -> Wire {
    let mut wire = Wire::new(&Random::new(seed));
    wire.set(Duration::ZERO, link);
    wire
}

/// What becomes of so many RTP packets, one in 20 ms.
fn send(wire: &mut Wire, count: u32) -> Vec<Carried> {
    let at = |n| SPACING * n;
    (0..count)
        .map(|n| wire.carry(at(n), Protocol::Rtp, true))
        .collect()
}

/// When each of them arrives that does, in the order in which they were sent.
fn arrivals(carried: &[Carried]) -> Vec<Duration> {
    (0..)
        .zip(carried)
        .filter_map(|(n, carried)| match carried {
            Carried::Lost => None,
            Carried::Once(after) | Carried::Twice(after, _) => Some(SPACING * n + *after),
        })
        .collect()
}

fn share_lost(carried: &[Carried]) -> f64 {
    let lost = carried.iter().filter(|&&one| one == Carried::Lost).count();
    lost as f64 / carried.len() as f64
}

/// How many are lost in a row, on average.
fn mean_burst(carried: &[Carried]) -> f64 {
    let runs = carried.chunk_by(|a, b| a == b);
    let bursts: Vec<usize> = runs
        .filter(|run| run[0] == Carried::Lost)
        .map(<[Carried]>::len)
        .collect();
    bursts.iter().sum::<usize>() as f64 / bursts.len() as f64
}

#[test]
fn a_link_does_nothing_unless_it_is_told_to() {
    let mut wire = wire(1, Link::default());
    let nothing = Carried::Once(Duration::ZERO);
    assert!(send(&mut wire, 1_000).iter().all(|&one| one == nothing));
}

#[test]
fn independent_loss_has_its_share_and_no_bursts() {
    let link = Link {
        loss: Loss::Independent(0.1),
        ..Link::default()
    };
    let carried = send(&mut wire(2, link), 50_000);
    let lost = share_lost(&carried);
    assert!((0.095..0.105).contains(&lost), "{lost}");
    // By chance alone: 1 / (1 - 0.1).
    let burst = mean_burst(&carried);
    assert!((1.08..1.14).contains(&burst), "{burst}");
}

#[test]
fn bursts_have_their_share_and_their_length() {
    let link = Link {
        loss: Loss::Bursts(Bursts {
            good: Duration::from_secs(2),
            bad: Duration::from_millis(200),
            loss_while_good: 0.0,
            loss_while_bad: 1.0,
        }),
        ..Link::default()
    };
    let carried = send(&mut wire(3, link), 200_000);
    let (lost, expected) = (share_lost(&carried), link.mean_loss());
    assert!((expected - 1.0 / 11.0).abs() < 1e-9);
    assert!((lost - expected).abs() < 0.01, "{lost}");
    // 200 ms are ten packets; a bad time that meets no packet at all is not seen, and is no burst.
    let burst = mean_burst(&carried);
    assert!((9.5..11.5).contains(&burst), "{burst}");
}

#[test]
fn a_bad_time_may_let_something_through() {
    let bursts = Bursts {
        good: Duration::from_millis(500),
        bad: Duration::from_millis(500),
        loss_while_good: 0.01,
        loss_while_bad: 0.5,
    };
    let link = Link {
        loss: Loss::Bursts(bursts),
        ..Link::default()
    };
    let lost = share_lost(&send(&mut wire(4, link), 100_000));
    assert!((0.245..0.265).contains(&lost), "{lost}");
}

#[test]
fn bursts_are_a_matter_of_time_not_of_what_is_sent() {
    let bursts = Bursts {
        good: Duration::from_millis(300),
        bad: Duration::from_millis(100),
        loss_while_good: 0.0,
        loss_while_bad: 1.0,
    };
    let link = Link {
        loss: Loss::Bursts(bursts),
        ..Link::default()
    };
    let alone = send(&mut wire(5, link), 5_000);
    let mut busy = wire(5, link);
    let among_others: Vec<Carried> = (0..5_000)
        .map(|n| {
            for _ in 0..n % 3 {
                busy.carry(SPACING * n, Protocol::Rtcp, true);
            }
            busy.carry(SPACING * n, Protocol::Rtp, true)
        })
        .collect();
    assert_eq!(alone, among_others);
}

#[test]
fn what_may_not_be_lost_is_not() {
    let link = Link {
        loss: Loss::Independent(1.0),
        ..Link::default()
    };
    let mut wire = wire(6, link);
    let spared = wire.carry(SPACING, Protocol::Dtls, false);
    assert_eq!(spared, Carried::Once(Duration::ZERO));
    assert_eq!(wire.carry(SPACING, Protocol::Dtls, true), Carried::Lost);
}

#[test]
fn jitter_keeps_its_bounds_and_the_order() {
    let link = Link {
        delay: Duration::from_millis(30),
        jitter: Duration::from_millis(50),
        ..Link::default()
    };
    let carried = send(&mut wire(7, link), 20_000);
    let times: Vec<Duration> = carried
        .iter()
        .map(|one| match one {
            Carried::Once(after) => *after,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(times.iter().all(|&after| after >= link.delay));
    assert!(
        times
            .iter()
            .all(|&after| after < link.delay + link.spread())
    );
    // Somewhat above the middle, since those behind a late one wait for it.
    let mean = times.iter().sum::<Duration>() / 20_000;
    assert!((55..65).contains(&mean.as_millis()), "{mean:?}");
    assert!(arrivals(&carried).is_sorted());
}

#[test]
fn what_is_held_back_is_overtaken() {
    let link = Link {
        reordering: Reordering {
            share: 0.05,
            held_back: Duration::from_millis(50),
        },
        ..Link::default()
    };
    let arrivals = arrivals(&send(&mut wire(8, link), 20_000));
    let overtaken = arrivals
        .windows(3)
        .filter(|three| three[0] > three[1] && three[0] > three[2])
        .count();
    // Each that is held back, unless the next one or the one after that is, too: 0.05 * 0.95 * 0.95.
    assert!((800..1_010).contains(&overtaken), "{overtaken}");
}

#[test]
fn duplicates_come_together_or_later() {
    let link = Link {
        jitter: Duration::from_millis(10),
        duplication: 0.2,
        ..Link::default()
    };
    let carried = send(&mut wire(9, link), 20_000);
    let doubled: Vec<_> = carried
        .iter()
        .filter_map(|one| match one {
            Carried::Twice(first, second) => Some((first, second)),
            _ => None,
        })
        .collect();
    assert!((3_800..4_200).contains(&doubled.len()));
    assert!(doubled.iter().all(|(first, second)| first <= second));
}

#[test]
fn one_seed_one_wire() {
    let link = Link {
        loss: Loss::Independent(0.3),
        delay: Duration::from_millis(5),
        jitter: Duration::from_millis(40),
        reordering: Reordering {
            share: 0.1,
            held_back: Duration::from_millis(30),
        },
        duplication: 0.1,
    };
    let run = |seed| send(&mut wire(seed, link), 2_000);
    assert_eq!(run(10), run(10));
    assert_ne!(run(10), run(11));
}
