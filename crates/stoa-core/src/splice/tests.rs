use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn packet(seq: u64, time: u32) -> Place {
    Place {
        seq: SeqExt(seq),
        time: RtpTime(time),
        marker: false,
        ahead: 0,
    }
}

#[test]
fn a_change_of_source_leaves_no_gap_and_sets_the_marker() {
    let start = Instant::now();
    let mut splice = Splice::new(SeqExt(99), RtpTime(5_000));
    let first = splice.place(start, 'a', packet(7_000, 1)).unwrap();
    assert_eq!(
        first,
        Place {
            seq: SeqExt(100),
            time: RtpTime(5_000),
            marker: true,
            ahead: 0,
        }
    );
    let second = splice.place(start, 'a', packet(7_001, 961)).unwrap();
    assert_eq!(
        second,
        Place {
            seq: SeqExt(101),
            time: RtpTime(5_960),
            marker: false,
            ahead: 0,
        }
    );

    let later = start + Duration::from_millis(100);
    let other = splice.place(later, 'b', packet(3, 77)).unwrap();
    assert_eq!(
        other,
        Place {
            seq: SeqExt(102),
            time: RtpTime(5_960 + 4_800),
            marker: true,
            ahead: 0,
        }
    );
}

#[test]
fn loss_and_reordering_within_a_source_pass_through() {
    let now = Instant::now();
    let mut splice = Splice::new(SeqExt(0), RtpTime(0));
    let seqs = [10, 11, 14, 13, 15].map(|s| splice.place(now, 'a', packet(s, 0)).unwrap().seq.0);
    assert_eq!(seqs, [1, 2, 5, 4, 6]);
}

#[test]
fn what_is_older_than_the_change_is_dropped() {
    let now = Instant::now();
    let mut splice = Splice::new(SeqExt(0), RtpTime(0));
    splice.place(now, 'a', packet(10, 0)).unwrap();
    splice.place(now, 'b', packet(500, 0)).unwrap();
    assert_eq!(splice.place(now, 'b', packet(499, 0)), None);
    // Even when the stream is so young that its number would be negative.
    assert_eq!(splice.place(now, 'b', packet(0, 0)), None);
}

#[derive(Debug, Clone)]
struct Step {
    source: u8,
    /// How much the source's sequence moves: 1 is in order, more is loss.
    advance: u64,
    pause_ms: u64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0u8..4, 1u64..4, 0u64..3_000).prop_map(|(source, advance, pause_ms)| Step {
        source,
        advance,
        pause_ms,
    });
    prop::collection::vec(step, 1..200)
}

proptest! {
    /// Whatever the sources do, and wherever their numbers wrap: no number is used twice, numbers
    /// grow, a change of source takes exactly the next one, and time never runs backwards.
    #[test]
    fn the_stream_is_continuous(
        start_seq in 0u64..70_000,
        start_time: u32,
        offsets in prop::array::uniform4((0u64..200_000, any::<u32>())),
        steps in steps(),
    ) {
        let mut now = Instant::now();
        let mut splice = Splice::new(SeqExt(start_seq), RtpTime(start_time));
        let mut sources = offsets;
        let mut last: Option<(u8, Place)> = None;
        for step in steps {
            now += Duration::from_millis(step.pause_ms);
            let (seq, time) = &mut sources[usize::from(step.source)];
            *seq += step.advance;
            *time = time.wrapping_add(opus_ticks(Duration::from_millis(step.pause_ms)).max(1));
            let out = splice.place(now, step.source, packet(*seq, *time)).unwrap();
            match last {
                None => prop_assert_eq!(out.seq, SeqExt(start_seq + 1)),
                Some((source, before)) => {
                    let gap = out.seq.0 - before.seq.0;
                    let ticks = out.time.since(before.time);
                    prop_assert!(ticks > 0 && ticks < u32::MAX / 2, "time ran backwards: {ticks}");
                    if source == step.source {
                        prop_assert_eq!(gap, step.advance);
                        prop_assert!(!out.marker);
                    } else {
                        prop_assert_eq!(gap, 1);
                        prop_assert!(out.marker);
                        prop_assert!(ticks >= OPUS_FRAME);
                    }
                }
            }
            last = Some((step.source, out));
        }
    }
}

#[test]
fn what_began_before_its_turn_puts_the_stream_ahead_and_a_pause_makes_up_for_it() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let budget = 3 * OPUS_FRAME;
    // What a listener hears changes between two streams, of which each changes its speaker.
    let (mut slot, mut line) = (
        Splice::new(SeqExt(0), RtpTime(0)),
        Splice::new(SeqExt(0), RtpTime(0)),
    );
    let mut send = |ms, speaker: char, seq, time| {
        let placed = slot.place(at(ms), speaker, packet(seq, time)).unwrap();
        let heard = line.place(at(ms), 's', placed).unwrap();
        assert_eq!(heard.ahead, placed.ahead);
        placed
    };
    send(0, 'a', 10, 0);
    send(100, 'a', 15, 4_800);
    // Three frames from before the change, and then the one that made it.
    for (seq, ms) in [(1, 60), (2, 80), (3, 100), (4, 120)] {
        let placed = send(ms, 'b', seq, u32::try_from(seq).unwrap() * 960);
        assert_eq!(placed.ahead, 3 * OPUS_FRAME, "packet {seq}");
    }
    assert!(!slot.takes_early(at(80), 'c', budget), "it is ahead enough");
    assert!(slot.takes_early(at(80), 'b', budget), "its turn has begun");
    assert!(slot.takes_early(at(200), 'c', budget));
    let after_pause = slot.place(at(300), 'c', packet(7, 7)).unwrap();
    assert_eq!(after_pause.ahead, 0);
    assert_eq!(after_pause.time, RtpTime(300 * 48));
}
