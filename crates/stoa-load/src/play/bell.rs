//! Why a run ends before its time.

use tokio::sync::watch;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("interrupted")]
    Interrupted,
    #[error("the server is gone: {0}")]
    ServerGone(String),
    #[error("the server refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Tester(String),
}

/// Rings once; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Bell(watch::Sender<Option<Stop>>);

impl Bell {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Rings it, if nobody has.
    pub(crate) fn ring(&self, why: Stop) {
        self.0.send_if_modified(|stop| {
            let is_first = stop.is_none();
            stop.get_or_insert(why);
            is_first
        });
    }

    /// Returns when it has been rung, and why.
    pub(crate) async fn rung(&self) -> Stop {
        let mut rung = self.0.subscribe();
        let stop = rung.wait_for(Option::is_some).await;
        // The sender is this one.
        stop.ok()
            .and_then(|stop| stop.clone())
            .unwrap_or(Stop::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts() {
        let bell = Bell::new();
        bell.ring(Stop::Interrupted);
        bell.ring(Stop::ServerGone("later".to_owned()));
        assert_eq!(bell.rung().await, Stop::Interrupted);
    }
}
