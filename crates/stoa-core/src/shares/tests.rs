use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::ids::TenantId;

fn quota(tenant: &str, packets_per_second: u64) -> PacketQuota {
    PacketQuota {
        tenant: TenantId::new(tenant).unwrap(),
        packets_per_second,
    }
}

fn shares(packets_per_second: u64, workers: usize) -> Shares {
    Shares::new(&[quota("a-tenant", packets_per_second)], workers)
}

fn worker(index: usize) -> WorkerId {
    WorkerId(u16::try_from(index).unwrap())
}

fn has(shares: &Shares, index: usize) -> u64 {
    shares.of(worker(index))[0].packets_per_second
}

fn want(shares: &Shares, index: usize, packets: u64) -> u64 {
    let demand = Demand {
        forwarded: packets,
        withheld: 0,
        time: Duration::from_secs(1),
    };
    shares.renew(worker(index), 0, &demand)
}

proptest! {
    /// In whatever order workers come, and whatever they want.
    #[test]
    fn all_shares_together_are_never_more_than_the_quota(
        quota in prop_oneof![0..1_000_u64, any::<u64>()],
        workers in 1..8_usize,
        turns in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>(), 0..64_u32), 0..200),
    ) {
        let shares = shares(quota, workers);
        for (index, wanted, shift) in turns {
            let index = index.index(workers);
            let told = want(&shares, index, wanted >> shift);
            prop_assert_eq!(told, has(&shares, index));
            let all: u128 = (0..workers).map(|index| u128::from(has(&shares, index))).sum();
            let free = shares.shared[0].free.load(Ordering::Relaxed);
            prop_assert_eq!(all + u128::from(free), u128::from(quota), "nothing is made or lost");
        }
    }

    /// From whatever shares they begin.
    #[test]
    fn another_quota_is_shared_as_the_one_before_and_never_more(
        (before, now) in (0..1_000_000_u64, prop_oneof![0..1_000_u64, any::<u64>()]),
        wanted in prop::collection::vec(0..2_000_000_u64, 1..8),
    ) {
        let workers = wanted.len();
        let shares = shares(before, workers);
        for _ in 0..3 {
            for (index, &wanted) in wanted.iter().enumerate() {
                want(&shares, index, wanted);
            }
        }
        let changed = shares.changed(&[quota("a-tenant", now)]);
        let all: u128 = (0..workers).map(|index| u128::from(has(&changed, index))).sum();
        let free = changed.shared[0].free.load(Ordering::Relaxed);
        prop_assert_eq!(all + u128::from(free), u128::from(now), "nothing is made or lost");
        for index in 0..workers {
            let part = u128::from(has(&shares, index)) * u128::from(now) / u128::from(before.max(1));
            prop_assert!(u128::from(has(&changed, index)) >= part);
        }
    }

    /// When all want the same for a while, all that is wanted is there for them, if the quota has it; and but
    /// for a few packets nothing is left unused.
    #[test]
    fn who_wants_gets_if_there_is_enough(
        wanted in prop::collection::vec(0..100_000_u64, 1..8),
        quota in 1_000..400_000_u64,
    ) {
        let workers = wanted.len();
        let shares = shares(quota, workers);
        // In the first round all say it; in the second, they give back; in the third, they take.
        for _ in 0..3 {
            for (index, &wanted) in wanted.iter().enumerate() {
                want(&shares, index, wanted);
            }
        }
        let all: u64 = (0..workers).map(|index| has(&shares, index)).sum();
        prop_assert!(all + 2 * workers as u64 >= quota, "{all}");
        let floor = quota / (FLOOR * workers as u64);
        let least: u64 = wanted.iter().map(|wanted| (*wanted).max(floor)).sum();
        for (index, &wanted) in wanted.iter().enumerate() {
            let has = has(&shares, index);
            prop_assert!(has >= floor);
            prop_assert!(has >= wanted || least > quota, "{has} of {wanted}");
        }
    }
}

#[test]
fn a_worker_that_wants_nothing_leaves_it_to_the_other() {
    let shares = shares(1_000, 2);
    assert_eq!((has(&shares, 0), has(&shares, 1)), (500, 500));
    want(&shares, 0, 5_000);
    want(&shares, 1, 0);
    assert_eq!((want(&shares, 0, 5_000), has(&shares, 1)), (975, 25));
    // The other one has work, too, and has its part when it has come twice.
    want(&shares, 1, 5_000);
    want(&shares, 0, 5_000);
    assert_eq!(
        (want(&shares, 1, 5_000), want(&shares, 0, 5_000)),
        (500, 500)
    );
}

#[test]
fn a_pause_costs_little() {
    let shares = shares(1_000, 2);
    for _ in 0..2 {
        want(&shares, 0, 400);
        want(&shares, 1, 400);
    }
    assert_eq!(has(&shares, 0), 500);
    for _ in 0..4 {
        want(&shares, 0, 0);
        want(&shares, 1, 400);
    }
    assert!(has(&shares, 0) >= 400, "{}", has(&shares, 0));
}

#[test]
fn threads_share_without_a_lock() {
    let shares = shares(1_000, 4);
    std::thread::scope(|scope| {
        for index in 0..4 {
            let shares = &shares;
            scope.spawn(move || {
                for turn in 0..10_000_u64 {
                    want(shares, index, (turn * 7_919 * (index as u64 + 1)) % 3_000);
                }
            });
        }
    });
    let all: u64 = (0..4).map(|index| has(&shares, index)).sum();
    let free = shares.shared[0].free.load(Ordering::Relaxed);
    assert_eq!(all + free, 1_000);
}

#[test]
fn what_does_not_change_is_the_same_in_both() {
    let shares = Shares::new(&[quota("a", 1_000), quota("b", 1_000)], 2);
    let changed = shares.changed(&[quota("c", 10), quota("b", 1_000), quota("a", 400)]);
    let has = |shares: &Shares, index| -> Vec<u64> {
        let parts = shares.of(worker(index)).into_iter();
        parts.map(|quota| quota.packets_per_second).collect()
    };
    assert_eq!(has(&changed, 1), [5, 500, 200]);
    // A worker that has not come to the new ones yet.
    let demand = Demand {
        time: Duration::from_secs(1),
        ..Demand::default()
    };
    let other = Demand {
        forwarded: 5_000,
        ..demand
    };
    for index in [0, 1] {
        shares.renew(worker(0), index, &demand);
        shares.renew(worker(1), index, &other);
        shares.renew(worker(0), index, &demand);
        shares.renew(worker(1), index, &other);
    }
    assert_eq!(has(&shares, 1), [975, 975]);
    assert_eq!(has(&changed, 1), [5, 975, 200]);
    // Another one begins where it was, and knows what was wanted.
    let again = shares.changed(&[quota("a", 100)]);
    assert_eq!(has(&again, 1), [97]);
    assert_eq!(again.renew(worker(0), 0, &demand), 2);
}
