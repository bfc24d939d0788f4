use super::*;

const LATE: Duration = Duration::from_millis(100);

#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    expected: u64,
    received: u64,
    duplicate: u64,
    reordered: u64,
    late: u64,
    changed: u64,
}

fn header(number: u64, csrc: u32) -> Header {
    Header {
        ssrc: 1,
        sequence_number: number as u16,
        timestamp: (number as u32).wrapping_mul(960),
        csrc: Some(csrc),
    }
}

/// Each packet comes `delay` after its time, 20 ms a number.
fn sum(packets: impl IntoIterator<Item = (u64, u32, Duration)>) -> Sum {
    let mut stream: Option<Stream> = None;
    let mut sum = Sum::default();
    for (number, csrc, delay) in packets {
        let header = header(number, csrc);
        let at = Duration::from_millis(20) * number as u32 + delay;
        let arrival = match &mut stream {
            Some(stream) => stream.take(&header, at),
            None => {
                let (new, arrival) = Stream::new(LATE, &header, at);
                stream = Some(new);
                arrival
            }
        };
        sum.expected += arrival.expected;
        sum.received += u64::from(arrival.received);
        sum.duplicate += u64::from(arrival.duplicate);
        sum.reordered += u64::from(arrival.reordered);
        sum.late += u64::from(arrival.late);
        sum.changed += u64::from(arrival.changed);
    }
    sum
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> Sum {
    sum(numbers
        .into_iter()
        .map(|number| (number, 7, Duration::ZERO)))
}

fn counts(expected: u64, received: u64) -> Sum {
    Sum {
        expected,
        received,
        ..Sum::default()
    }
}

#[test]
fn a_whole_stream_is_received() {
    assert_eq!(numbers(100..1_100), counts(1_000, 1_000));
}

#[test]
fn gaps_are_expected_and_not_received() {
    assert_eq!(numbers([1, 2, 5, 6, 10]), counts(10, 5));
}

#[test]
fn the_sequence_number_wraps_with_and_without_loss() {
    assert_eq!(numbers(65_000..66_000), counts(1_000, 1_000));
    assert_eq!(numbers([65_534, 65_535, 65_538, 65_539]), counts(6, 4));
    // More than one turn, with one in a hundred lost.
    let lost = numbers((0..200_000).filter(|number| number % 100 != 50));
    assert_eq!(lost, counts(200_000, 198_000));
}

#[test]
fn reordering_is_neither_loss_nor_duplication() {
    let reordered = numbers([65_535, 65_537, 65_536, 65_538]);
    assert_eq!(reordered.reordered, 1);
    assert_eq!((reordered.expected, reordered.received), (4, 4));
    // Before the first one that came.
    let early = numbers([10, 8, 9, 11]);
    assert_eq!((early.expected, early.received, early.reordered), (4, 4, 2));
}

#[test]
fn a_second_copy_is_a_duplicate_however_it_comes() {
    let twice = numbers([1, 2, 2, 3, 1, 4]);
    assert_eq!((twice.expected, twice.received, twice.duplicate), (4, 4, 2));
    // A number that was lost a window ago is free for the next one with the same place.
    let around = numbers((0..3_000).filter(|number| *number != 500));
    assert_eq!(around, counts(3_000, 2_999));
    let old = numbers((0..2_000).chain([10]));
    assert_eq!((old.received, old.duplicate), (2_000, 1));
}

#[test]
fn what_comes_behind_its_time_is_late_and_received() {
    let late = sum((0..1_000).map(|number| {
        let delay = if number % 10 == 5 { 130 } else { 10 };
        (number, 7, Duration::from_millis(delay))
    }));
    assert_eq!((late.received, late.late), (1_000, 100));
    // Jitter within the limit is not.
    let jitter = sum((0..1_000).map(|number| (number, 7, Duration::from_millis(number % 7 * 15))));
    assert_eq!((jitter.received, jitter.late), (1_000, 0));
}

#[test]
fn a_clock_that_drifts_makes_nothing_late() {
    // 200 parts in a million, for two hours.
    let drift = sum((0..360_000).map(|number| (number, 7, Duration::from_micros(number * 4))));
    assert_eq!((drift.received, drift.late), (360_000, 0));
}

#[test]
fn another_speaker_in_the_stream_is_a_change() {
    let speakers = (0..40).map(|number| (number, 7 + number as u32 / 10, Duration::ZERO));
    assert_eq!(sum(speakers).changed, 3);
}

#[test]
fn a_far_jump_is_another_beginning() {
    assert_eq!(numbers((0..10).chain(20_000..20_010)), counts(20, 20));
}
