//! What a span says of a call, by the semantic conventions of OpenTelemetry for gRPC.
//!
//! Never who called, from where, or what about: no room, participant, tenant, address or credential.

use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator as _},
    trace::{Span as _, SpanKind, Status, Tracer as _},
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracer};
use stoa_control::EndedCall;

/// The codes that are a server's fault, so that the span is an error; by the others a caller is told of one of its own.
const FAULTS: [&str; 6] = [
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
];

/// What a method is called that the node does not have: what was asked for is a caller's own words.
const OTHER: &str = "_OTHER";

/// Makes a span of a call that has ended, if its trace is sampled.
pub(super) fn record(tracer: &SdkTracer, call: &EndedCall<'_>) {
    let method = call.method.map(str::to_owned);
    let name = method.clone().unwrap_or_else(|| "grpc".to_owned());
    let method = method.unwrap_or_else(|| OTHER.to_owned());
    let mut attributes = vec![
        KeyValue::new("rpc.system.name", "grpc"),
        KeyValue::new("rpc.method", method),
        KeyValue::new("rpc.response.status_code", call.code),
        KeyValue::new("network.protocol.name", "http"),
        KeyValue::new("network.protocol.version", call.http_version.to_string()),
    ];
    if let Some(reason) = call.reason {
        attributes.push(KeyValue::new("stoa.error.reason", reason));
    }
    let is_fault = FAULTS.contains(&call.code);
    if is_fault {
        attributes.push(KeyValue::new("error.type", call.code));
    }
    let mut span = tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_start_time(call.began)
        .with_attributes(attributes)
        .start_with_context(tracer, &parent(call.traceparent));
    if is_fault {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(call.began + call.took);
}

/// Where the caller stands in its trace. Without a header, or with one that is none, the span begins a trace.
fn parent(traceparent: Option<&str>) -> Context {
    let nobody = Context::new();
    match traceparent {
        Some(header) => {
            TraceContextPropagator::new().extract_with_context(&nobody, &Traceparent(header))
        }
        None => nobody,
    }
}

/// That header alone: a `tracestate` is a caller's own words, too, and is not passed on.
struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}
