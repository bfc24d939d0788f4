//! What stands in for traces in a program that was built without the feature `opentelemetry`: nothing, and a
//! configuration that asks for them is refused before it comes here.

use std::convert::Infallible;

use stoa_control::CallObserver;
use stoa_ops::Spans;

use crate::{config, exit::Failure};

/// There is none.
pub(crate) struct Traces(Infallible);

impl Traces {
    /// # Errors
    /// Always.
    pub(crate) fn start(_: &config::Traces, _: Spans) -> Result<Self, Failure> {
        Err(Failure::Config("traces: not built in".to_owned()))
    }

    pub(crate) fn observer(&self) -> CallObserver {
        match self.0 {}
    }

    pub(crate) async fn finish(self) {
        match self.0 {}
    }
}
