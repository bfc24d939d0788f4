//! What has begun and must come to its end.

use crate::errors::Failure;

/// Runs an operation in a task of its own, so that it comes to its end also if nobody waits for it any more: what
/// it changes must not depend on who listens. `what` is for the log, where it panics.
pub(crate) async fn to_its_end<T: Send + 'static>(
    what: &'static str,
    operation: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(operation).await.unwrap_or_else(|error| {
        tracing::error!(%error, "{what} failed");
        Err(Failure::internal())
    })
}
