//! What callers ask for and how it ends, counted for whoever watches the node.

use std::{collections::HashSet, sync::Arc, time::Duration};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use stoa_api::{
    code_name,
    v1::{ErrorReason, FILE_DESCRIPTOR_SET},
};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::deadline::is_streaming;

/// In what a caller's call may end without a word of the node.
const GIVEN_UP: &str = "CANCELLED";

/// What all methods are called that the node does not have: nobody but the node makes labels.
const UNKNOWN: &str = "unknown";

/// Upper bounds of the durations of unary calls, in seconds: a join takes a few milliseconds.
const BUCKETS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0];

/// The counts of calls. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    ended: IntCounterVec,
    refused: IntCounterVec,
    durations: HistogramVec,
    /// The methods of the node, as `SERVICE/METHOD`.
    methods: Arc<HashSet<String>>,
}

/// What a call that has ended is counted as.
pub(crate) struct Outcome<'a> {
    /// `package.Service/Method`, if the node has it.
    pub(crate) method: Option<&'a str>,
    /// gRPC's name of the code.
    pub(crate) code: &'static str,
    /// The reason that its caller was told.
    pub(crate) reason: Option<ErrorReason>,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let fits = "the names are constants";
        Self {
            ended: IntCounterVec::new(
                Opts::new(
                    "stoa_control_calls_total",
                    "Calls of the control API that have ended, by method and canonical code.",
                ),
                &["method", "code"],
            )
            .expect(fits),
            refused: IntCounterVec::new(
                Opts::new(
                    "stoa_control_refusals_total",
                    "Calls of the control API that failed, by the reason that the caller was told.",
                ),
                &["reason"],
            )
            .expect(fits),
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "stoa_control_call_duration_seconds",
                    "How long unary calls of the control API took.",
                )
                .buckets(BUCKETS.to_vec()),
                &["method"],
            )
            .expect(fits),
            methods: Arc::new(methods()),
        }
    }

    /// What the method at this path is called in the log and in metrics.
    pub(crate) fn method<'a>(&self, path: &'a str) -> &'a str {
        self.known(path).unwrap_or(UNKNOWN)
    }

    /// What the method at this path is called, if the node has it.
    fn known<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix('/')
            .filter(|path| self.methods.contains(*path))
    }

    /// A call has ended: with this status, or given up by its caller. Returns what it was counted as.
    pub(crate) fn count<'a>(
        &self,
        path: &'a str,
        status: Option<&Status>,
        took: Duration,
    ) -> Outcome<'a> {
        let known = self.known(path);
        let method = known.unwrap_or(UNKNOWN);
        let code = status.map_or(GIVEN_UP, |status| code_name(status.code()));
        self.ended.with_label_values(&[method, code]).inc();
        if !is_streaming(path) {
            let seconds = took.as_secs_f64();
            self.durations.with_label_values(&[method]).observe(seconds);
        }
        let told = status.and_then(|status| status.get_details_error_info());
        let reason = told.and_then(|info| ErrorReason::from_str_name(&info.reason));
        if let Some(reason) = reason {
            self.refused
                .with_label_values(&[reason.as_str_name()])
                .inc();
        }
        Outcome {
            method: known,
            code,
            reason,
        }
    }
}

impl Collector for Calls {
    fn desc(&self) -> Vec<&Desc> {
        let mut all = self.ended.desc();
        all.extend(self.refused.desc());
        all.extend(self.durations.desc());
        all
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut all = self.ended.collect();
        all.extend(self.refused.collect());
        all.extend(self.durations.collect());
        all
    }
}

fn methods() -> HashSet<String> {
    [FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET]
        .into_iter()
        .filter_map(|set| FileDescriptorSet::decode(set).ok())
        .flat_map(|set| set.file)
        .flat_map(|file| {
            let package = file.package().to_owned();
            file.service.into_iter().flat_map(move |service| {
                let prefix = format!("{package}.{}", service.name());
                let named = move |method: &str| format!("{prefix}/{method}");
                let methods = service.method.into_iter();
                methods
                    .map(move |method| named(method.name()))
                    .collect::<Vec<_>>()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::errors::Failure;

    fn text(calls: &Calls) -> String {
        let encoder = prometheus::TextEncoder::new();
        encoder.encode_to_string(&calls.collect()).expect("text")
    }

    #[test]
    fn calls_are_counted_by_names_that_are_known() {
        let calls = Calls::new();
        let took = Duration::from_millis(3);
        let ok = Status::new(Code::Ok, "");
        calls.count("/stoa.control.v1.Rooms/Join", Some(&ok), took);
        calls.count("/stoa.control.v1.Rooms/Watch", None, took);
        let refused = Status::from(Failure::room_not_found("hall"));
        calls.count("/stoa.control.v1.Rooms/Join", Some(&refused), took);
        calls.count("/whatever/somebody\"tries", Some(&ok), took);
        let text = text(&calls);
        for line in [
            r#"stoa_control_calls_total{code="OK",method="stoa.control.v1.Rooms/Join"} 1"#,
            r#"stoa_control_calls_total{code="CANCELLED",method="stoa.control.v1.Rooms/Watch"} 1"#,
            r#"stoa_control_calls_total{code="NOT_FOUND",method="stoa.control.v1.Rooms/Join"} 1"#,
            r#"stoa_control_calls_total{code="OK",method="unknown"} 1"#,
            r#"stoa_control_refusals_total{reason="ROOM_NOT_FOUND"} 1"#,
            r#"stoa_control_call_duration_seconds_count{method="stoa.control.v1.Rooms/Join"} 2"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("duration_seconds_count{method=\"stoa.control.v1.Rooms/Watch"));
    }
}
