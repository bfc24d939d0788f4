use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000_000;

/// What is exchanged with a clock that is so far ahead, over ways that take so long.
fn exchange(at: i64, ahead: i64, there: i64, thinking: i64, back: i64) -> Exchange {
    let received = at + there + ahead;
    Exchange {
        asked: at,
        received,
        answered: received + thinking,
        returned: at + there + thinking + back,
    }
}

proptest! {
    #[test]
    fn the_offset_is_within_half_of_the_round_trip_whatever_the_ways_are_like(
        ahead in -10 * SECOND..10 * SECOND,
        ways in prop::collection::vec((0..SECOND, 0..SECOND, 0..SECOND), 1..20),
    ) {
        let exchanges: Vec<Exchange> = ways
            .iter()
            .map(|(there, thinking, back)| exchange(SECOND * 1_000_000, ahead, *there, *thinking, *back))
            .collect();
        // At the time of the first, so that none has aged.
        let told = offset(&exchanges, 0).expect("at least one");
        let shortest = ways.iter().map(|(there, _, back)| there + back).min().expect("one");
        prop_assert_eq!(told.within, shortest / 2 + 1);
        prop_assert!((told.ahead - ahead).abs() <= told.within);
    }

    #[test]
    fn it_holds_while_clocks_drift_and_are_set(
        drift in -100_i64..=100,
        leap in -5 * SECOND..5 * SECOND,
        ways in prop::collection::vec((0..SECOND / 100, 0..SECOND / 100), 2..80),
    ) {
        let mut exchanges = Exchanges::default();
        let ahead = |at: i64, set: bool| at * drift / 1_000_000 + if set { leap } else { 0 };
        for (number, (there, back)) in (0..).zip(&ways) {
            let at = number * SECOND / 4;
            let is_set = number > 40;
            exchanges.take(exchange(at, ahead(at, is_set), *there, 0, *back));
            let now = at + there + back;
            let told = exchanges.offset(now).expect("some");
            // Of a leap that the ways hide nobody can tell.
            let hidden = if is_set && leap.abs() <= SECOND / 10 { leap.abs() } else { 0 };
            prop_assert!((told.ahead - ahead(now, is_set)).abs() <= told.within + hidden + 2);
        }
    }

    #[test]
    fn nonsense_is_no_panic(times in any::<[i64; 4]>(), now in any::<i64>()) {
        let [asked, received, answered, returned] = times;
        let mut exchanges = Exchanges::default();
        exchanges.take(Exchange { asked, received, answered, returned });
        prop_assert!(exchanges.offset(now).expect("one").within > 0);
    }
}

#[test]
fn equal_ways_tell_the_offset_itself() {
    let told = offset(&[exchange(SECOND, 500, 3_000, 77, 3_000)], SECOND).expect("one");
    assert_eq!((told.ahead, told.within), (500, 3_001));
    assert_eq!(offset(&[], 0), None);
}

#[test]
fn clocks_drift_apart_while_an_exchange_is_under_way() {
    // All of a second is the way there, at whose end the other clock has lost 100 us.
    let exchange = exchange(0, 0, SECOND, 0, 0);
    let told = offset(&[exchange], SECOND).expect("one");
    assert!((told.ahead + 100_000).abs() <= told.within, "{told:?}");
}

#[test]
fn an_old_exchange_is_worth_less_than_a_longer_one_of_now() {
    let old = exchange(0, 0, 1_000, 0, 1_000);
    let new = exchange(60 * SECOND, 6_000_000, 1_000_000, 0, 1_000_000);
    assert_eq!(
        offset(&[old, new], 60 * SECOND).expect("two").ahead,
        6_000_000
    );
    assert_eq!(offset(&[old, new], SECOND).expect("two").ahead, 0);
}
