//! Where spans wait until they are sent.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use stoa_ops::Spans;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

use super::EXPORT;

/// How many spans may wait: some seconds of a node's most calls, and about 1 MiB.
pub(super) const CAPACITY: usize = 2_048;

/// How many are sent at once.
const BATCH: usize = 512;
const _: () = assert!(BATCH <= CAPACITY);

/// How long a span waits for others to be sent with.
const GATHER: Duration = Duration::from_secs(1);

/// Where spans go in. Whoever puts one there never waits.
#[derive(Debug)]
pub(super) struct Queue {
    sender: mpsc::Sender<SpanData>,
    spans: Spans,
}

/// Where they come out.
pub(super) struct Waiting {
    receiver: mpsc::Receiver<SpanData>,
    spans: Spans,
}

impl Queue {
    /// Both ends; what is sent and lost is counted.
    pub(super) fn new(spans: Spans) -> (Self, Waiting) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let waiting = Waiting {
            receiver,
            spans: spans.clone(),
        };
        (Self { sender, spans }, waiting)
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.sender.try_send(span).is_err() {
            self.spans.lose(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Waiting {
    /// Sends what comes, until `ending` completes and nothing waits any more.
    pub(super) async fn send(
        mut self,
        exporter: impl SpanExporter,
        mut ending: oneshot::Receiver<()>,
    ) {
        let mut failing = false;
        loop {
            let batch = self.batch(&mut ending).await;
            if batch.is_empty() {
                return;
            }
            let count = batch.len() as u64;
            // The exporter ends by itself but for an attempt that is under way.
            let sent = timeout(EXPORT + GATHER, exporter.export(batch)).await;
            let error = match sent {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(elapsed) => Some(elapsed.to_string()),
            };
            let has_failed = error.is_some();
            match error {
                None => self.spans.send(count),
                Some(_) => self.spans.lose(count),
            }
            match error {
                Some(error) if !failing => {
                    tracing::warn!(error, "the collector does not take spans; they are lost");
                }
                None if failing => tracing::info!("the collector takes spans again"),
                _ => {}
            }
            failing = has_failed;
        }
    }

    /// All that wait.
    #[cfg(test)]
    pub(super) fn all(&mut self) -> Vec<SpanData> {
        std::iter::from_fn(|| self.receiver.try_recv().ok()).collect()
    }

    /// The spans of a moment, or as many as may be sent at once; none once the end has come and the queue is empty.
    async fn batch(&mut self, ending: &mut oneshot::Receiver<()>) -> Vec<SpanData> {
        let mut batch = Vec::new();
        let mut until = None;
        while batch.len() < BATCH {
            let begun = until.is_some();
            let moment = until.unwrap_or_else(Instant::now);
            let room = BATCH - batch.len();
            tokio::select! {
                () = sleep_until(moment), if begun => break,
                _ = &mut *ending, if !self.receiver.is_closed() => self.receiver.close(),
                count = self.receiver.recv_many(&mut batch, room) => match count {
                    0 => break,
                    _ => until = until.or_else(|| Some(Instant::now() + GATHER)),
                },
            }
        }
        batch
    }
}
