use proptest::prelude::*;

use super::*;

const TENANT: &str = "a-tenant";

fn quotas(now: Instant, packets_per_second: u64) -> Quotas {
    let mut quotas = Quotas::none(&RandomState::with_seeds(1, 2, 3, 4));
    quotas.replace(now, &[quota(TENANT, packets_per_second)]);
    quotas
}

fn quota(tenant: &str, packets_per_second: u64) -> PacketQuota {
    PacketQuota {
        tenant: TenantId::new(tenant).unwrap(),
        packets_per_second,
    }
}

/// Forwards a packet to so many if anything is left. Returns how many got it.
fn forward(quotas: &mut Quotas, now: Instant, hearers: u64) -> u64 {
    let quota = quotas.of(TENANT).unwrap();
    if quotas.is_spent(now, quota) {
        quotas.withhold(quota, hearers);
        return 0;
    }
    quotas.spend(quota, hearers);
    hearers
}

proptest! {
    /// Over any time: what the rate gives, the burst, and less than one packet to the largest room.
    #[test]
    fn no_window_has_more_than_the_rate_and_the_burst(
        rate in 1..100_000_u64,
        packets in prop::collection::vec((0..50_u64, 1..3_000_u64), 1..200),
    ) {
        let start = Instant::now();
        let mut quotas = quotas(start, rate);
        let mut elapsed = 0;
        let mut forwarded = Vec::new();
        for (pause, hearers) in packets {
            elapsed += pause;
            let now = start + Duration::from_millis(elapsed);
            forwarded.push((elapsed, forward(&mut quotas, now, hearers)));
        }
        for from in 0..forwarded.len() {
            let mut sum = 0;
            for &(at, packets) in &forwarded[from..] {
                sum += packets;
                let time = at - forwarded[from].0;
                let burst = u64::try_from(QUOTA_BURST.as_millis()).unwrap();
                prop_assert!(sum * 1_000 < rate * (time + burst) + 3_000 * 1_000);
            }
        }
    }

    /// Who always wants more gets all of it, however large a packet is.
    #[test]
    fn who_always_wants_more_gets_the_whole_quota(
        rate in 1_000..100_000_u64,
        hearers in 1..30_000_u64,
    ) {
        let start = Instant::now();
        let mut quotas = quotas(start, rate);
        let all: u64 = (0..30_000)
            .map(|milliseconds| start + Duration::from_millis(milliseconds))
            .map(|now| forward(&mut quotas, now, hearers))
            .sum();
        // Each packet waits at most for the next millisecond.
        let lost = 30_000 / hearers.div_ceil(rate / 1_000).max(1) + 1;
        prop_assert!(all + lost * (rate / 1_000 + 1) + hearers >= 30 * rate, "{all}");
    }
}

#[test]
fn a_new_rate_counts_from_now_on() {
    let start = Instant::now();
    let at = |milliseconds| start + Duration::from_millis(milliseconds);
    let mut quotas = quotas(start, 1_000);
    assert_eq!(forward(&mut quotas, start, 200), 200, "the burst");
    assert_eq!(forward(&mut quotas, start, 1), 0);
    assert_eq!(forward(&mut quotas, at(100), 100), 100);
    let mut told = Vec::new();
    quotas.renew(at(200), |index, demand| {
        told.push((index, demand));
        100
    });
    let demand = Demand {
        forwarded: 300,
        withheld: 1,
        time: Duration::from_millis(200),
    };
    assert_eq!(told, [(0, demand)]);
    assert_eq!(demand.per_second(), 1_505);
    assert_eq!(forward(&mut quotas, at(200), 20), 20, "the new burst");
    assert_eq!(forward(&mut quotas, at(200), 1), 0);
    assert_eq!(forward(&mut quotas, at(210), 2), 2);
    assert_eq!(forward(&mut quotas, at(220), 1), 0, "it owes one");

    quotas.renew(at(300), |_, _| 0);
    assert_eq!(forward(&mut quotas, at(10_000), 1), 0, "nothing at all");
}

#[test]
fn a_larger_room_than_the_burst_is_heard_and_owes() {
    let start = Instant::now();
    let at = |milliseconds| start + Duration::from_millis(milliseconds);
    let mut quotas = quotas(start, 1_000);
    assert_eq!(forward(&mut quotas, start, 1_200), 1_200);
    assert_eq!(forward(&mut quotas, at(1_000), 1), 0);
    assert_eq!(forward(&mut quotas, at(1_001), 1), 1);
}

#[test]
fn quotas_in_the_place_of_others_forget_nothing() {
    let start = Instant::now();
    let at = |milliseconds| start + Duration::from_millis(milliseconds);
    let mut quotas = quotas(start, 1_000);
    assert_eq!(forward(&mut quotas, start, 300), 300, "it owes 100");
    // In another place, and as it was.
    quotas.replace(at(50), &[quota("other", 1), quota(TENANT, 1_000)]);
    assert_eq!(
        forward(&mut quotas, at(100), 1),
        0,
        "it owes nothing any more"
    );
    assert_eq!(forward(&mut quotas, at(101), 1), 1);
    let mut told = Vec::new();
    quotas.renew(at(110), |_, demand| {
        told.push(demand);
        1_000
    });
    let [other, own] = told[..] else {
        panic!("two quotas: {told:?}");
    };
    assert_eq!(
        (other.forwarded, other.time),
        (0, Duration::from_millis(60))
    );
    assert_eq!((own.forwarded, own.withheld), (301, 1));
    assert_eq!(own.time, Duration::from_millis(110));

    // Less, and more: what it has left is of before.
    quotas.replace(at(400), &[quota(TENANT, 100)]);
    assert_eq!(forward(&mut quotas, at(400), 20), 20, "the smaller burst");
    quotas.replace(at(400), &[quota(TENANT, 100_000)]);
    assert_eq!(forward(&mut quotas, at(400), 1), 0, "nothing was left");
    assert_eq!(forward(&mut quotas, at(401), 100), 100);

    quotas.replace(at(402), &[]);
    assert_eq!(quotas.of(TENANT), None);
    quotas.replace(at(403), &[quota(TENANT, 1_000)]);
    assert_eq!(
        forward(&mut quotas, at(403), 200),
        200,
        "as one that is new"
    );
}
