use std::time::SystemTime;

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;
use stoa_control::EndedCall;

use super::{queue::CAPACITY, *};

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// As many spans as wait of as many calls, and how many were lost.
fn record(sample_ratio: f64, traceparent: Option<&str>, calls: usize) -> (Vec<SpanData>, u64) {
    let spans = Spans::default();
    let (queue, mut waiting) = Queue::new(spans.clone());
    let tracer = tracer(sample_ratio, Resource::builder_empty().build(), queue);
    for _ in 0..calls {
        let call = EndedCall {
            method: Some("stoa.control.v1.Rooms/Join"),
            http_version: 2,
            began: SystemTime::UNIX_EPOCH,
            took: Duration::from_millis(3),
            code: "OK",
            reason: None,
            traceparent,
        };
        span::record(&tracer, &call);
    }
    (waiting.all(), spans.lost())
}

#[test]
fn who_has_decided_decides_and_otherwise_the_ratio_does() {
    for (ratio, traceparent, expected) in [
        (0.0, Some(SAMPLED), 1),
        (1.0, Some(NOT_SAMPLED), 0),
        (0.0, None, 0),
        (1.0, None, 1),
        (0.0, Some("none"), 0),
        (1.0, Some("none"), 1),
    ] {
        let (spans, _) = record(ratio, traceparent, 1);
        assert_eq!(spans.len(), expected, "{ratio} {traceparent:?}");
        let has_parent = traceparent == Some(SAMPLED);
        let parents = spans.iter().map(|span| span.parent_span_id);
        assert!(
            parents
                .into_iter()
                .all(|id| (id != SpanId::INVALID) == has_parent)
        );
    }
}

#[test]
fn a_span_ends_when_its_call_has() {
    let (spans, _) = record(1.0, None, 1);
    let took = spans[0].end_time.duration_since(spans[0].start_time);
    assert_eq!(took.ok(), Some(Duration::from_millis(3)));
    assert_eq!(spans[0].start_time, SystemTime::UNIX_EPOCH);
}

#[test]
fn what_finds_no_room_in_the_queue_is_lost_and_counted() {
    let (spans, lost) = record(1.0, None, CAPACITY + 3);
    assert_eq!((spans.len(), lost), (CAPACITY, 3));
}
