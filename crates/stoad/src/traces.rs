//! Spans of control calls, for an OpenTelemetry collector (docs/adr/0020).
//!
//! A call that has ended becomes a span if its trace is sampled, and the span waits in a bounded queue. One task takes
//! them out in batches and sends them. Whoever serves a call waits for none of that: what does not fit into the queue,
//! or is not taken by the collector in time, is lost and counted.

mod queue;
mod span;

use std::{sync::Arc, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter as _},
};
use stoa_control::CallObserver;
use stoa_ops::Spans;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use self::queue::Queue;
use crate::{config, exit::Failure};

/// How long the collector may take for a batch, all attempts together.
const EXPORT: Duration = Duration::from_secs(5);

/// How long it may take at the end for what still waits.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// Spans of calls on their way to a collector.
pub(crate) struct Traces {
    tracer: SdkTracer,
    sender: JoinHandle<()>,
    end: oneshot::Sender<()>,
}

impl Traces {
    /// Begins to send to the collector of this configuration, which need not be there yet. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`Failure::Config`] with what is wrong with the endpoint, or with the environment variables of OpenTelemetry.
    pub(crate) fn start(config: &config::Traces, spans: Spans) -> Result<Self, Failure> {
        // With what OTEL_RESOURCE_ATTRIBUTES says of this node.
        let resource = Resource::builder()
            .with_service_name("stoad")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let exporter = SpanExporter::builder().with_tonic();
        let exporter = exporter
            .with_endpoint(&config.endpoint)
            .with_timeout(EXPORT);
        let wrong = |error| Failure::Config(format!("traces: {error}"));
        let mut exporter = exporter.build().map_err(wrong)?;
        exporter.set_resource(&resource);
        let (queue, waiting) = Queue::new(spans.clone());
        let tracer = tracer(config.sample_ratio, resource, queue);
        let (end, ending) = oneshot::channel();
        let sender = tokio::spawn(waiting.send(exporter, ending));
        Ok(Self {
            tracer,
            sender,
            end,
        })
    }

    /// Makes a span of each call.
    pub(crate) fn observer(&self) -> CallObserver {
        let tracer = self.tracer.clone();
        Arc::new(move |call| span::record(&tracer, call))
    }

    /// Sends what waits, for a moment.
    pub(crate) async fn finish(mut self) {
        // Fails only if nothing is sent any more.
        let _ = self.end.send(());
        if timeout(LAST_EXPORT, &mut self.sender).await.is_err() {
            self.sender.abort();
            tracing::warn!("the last spans could not be sent to the collector in time");
        }
    }
}

/// Makes spans that go into this queue.
fn tracer(sample_ratio: f64, resource: Resource, queue: Queue) -> SdkTracer {
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sample_ratio)));
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler)
        .with_span_processor(queue);
    provider.build().tracer("stoad")
}

#[cfg(test)]
mod tests;
