//! Spans of control calls, in the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use tonic::transport::Uri;

use super::Config;
use crate::exit::Failure;

/// Whether this program can trace.
const BUILT_IN: bool = cfg!(feature = "opentelemetry");

/// [Spans of control calls](operations.md#traces) for an OpenTelemetry collector. Without this section there are none. It
/// needs a `stoad` that was built with the feature `opentelemetry`; any other one refuses the section.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traces {
    /// Where a collector takes OTLP by gRPC: `http://HOST:PORT`. It is spoken to without TLS, so one on this machine or in
    /// a private network, which sends on as it has to.
    #[serde(deserialize_with = "endpoint")]
    #[schemars(extend("x-reload" = false))]
    pub(crate) endpoint: String,
    /// Of the calls whose callers have not decided it, how many have a span: 0 to 1. A caller with a `traceparent` has
    /// decided, by its flag `sampled`. Lower where callers without one are many.
    #[serde(default = "all", deserialize_with = "ratio")]
    #[schemars(extend("x-reload" = false))]
    pub(crate) sample_ratio: f64,
}

fn all() -> f64 {
    1.0
}

fn ratio<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let ratio = f64::deserialize(deserializer)?;
    match (0.0..=1.0).contains(&ratio) {
        true => Ok(ratio),
        false => Err(D::Error::custom("must be 0 to 1")),
    }
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match is_endpoint(&text) {
        true => Ok(text),
        // Not as it stands: somebody may have put a password in it.
        false => Err(D::Error::custom(
            "endpoint must be http://HOST:PORT, without TLS, a user or a path",
        )),
    }
}

fn is_endpoint(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let has_user = uri
        .authority()
        .is_none_or(|authority| authority.as_str().contains('@'));
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    uri.scheme_str() == Some("http") && uri.port_u16().is_some() && !has_user && is_bare
}

impl Config {
    /// What is traced, if anything is.
    ///
    /// # Errors
    /// [`Failure::Config`] in a program that cannot.
    pub(super) fn traces(&self) -> Result<Option<Traces>, Failure> {
        possible(self.traces.as_ref(), BUILT_IN)
    }
}

fn possible(traces: Option<&Traces>, built_in: bool) -> Result<Option<Traces>, Failure> {
    if traces.is_some() && !built_in {
        let reason = "traces: this stoad was built without OpenTelemetry; leave the section out, or build it with \
                      `cargo build --release --package stoad --features opentelemetry`";
        return Err(Failure::Config(reason.to_owned()));
    }
    Ok(traces.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Traces, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn all_calls_are_traced_unless_it_says_otherwise() {
        let traces = parse("endpoint: http://localhost:4317").expect("it is right");
        assert_eq!(traces.endpoint, "http://localhost:4317");
        assert_eq!(traces.sample_ratio.to_bits(), 1.0_f64.to_bits());
        let few = parse("{endpoint: 'http://[::1]:4317/', sample_ratio: 0.25}");
        assert_eq!(few.map(|few| few.sample_ratio), Ok(0.25));
    }

    #[test]
    fn what_no_collector_could_be_at_is_refused() {
        for wrong in [
            "localhost:4317",
            "https://localhost:4317",
            "http://localhost",
            "http://me:secret@localhost:4317",
            "http://localhost:4317/v1/traces",
            "http://localhost:4317?key=secret",
            "",
        ] {
            let error = parse(&format!("endpoint: '{wrong}'")).expect_err(wrong);
            assert!(error.contains("http://HOST:PORT"), "{wrong}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for wrong in ["-0.1", "1.1", ".nan"] {
            let text = format!("{{endpoint: 'http://localhost:4317', sample_ratio: {wrong}}}");
            let error = parse(&text).expect_err(wrong);
            assert!(error.contains("0 to 1"), "{error}");
        }
    }

    #[test]
    fn a_program_that_cannot_trace_says_how_to_build_one() {
        let traces = parse("endpoint: http://localhost:4317").expect("it is right");
        assert!(matches!(possible(None, false), Ok(None)));
        assert!(matches!(possible(Some(&traces), true), Ok(Some(_))));
        let failure = possible(Some(&traces), false).expect_err("it cannot");
        let text = failure.to_string();
        assert!(text.contains("--features opentelemetry"), "{text}");
    }
}
