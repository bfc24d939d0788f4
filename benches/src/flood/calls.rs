//! Calls of whoever is to be left in peace: from another source than any attacker's, one after the other.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use stoa_client::{Client, v1::GetStatusRequest};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

use crate::{
    daemon::{Connector, DaemonError},
    report::Samples,
};

/// How long one waits before the next call.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a call may take, with its connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of the calls, in milliseconds.
pub(super) struct Called {
    /// Of those on a connection that had been there before.
    pub(super) standing: Samples,
    /// Of those on a new connection each, which is a part of it.
    pub(super) fresh: Samples,
    /// How many of either failed.
    pub(super) failed: u64,
}

/// Calls until it is asked for what became of it.
pub(super) struct Caller {
    end: Arc<Notify>,
    calls: JoinHandle<Called>,
}

impl Caller {
    /// Calls by this client, and by new ones, in turns.
    pub(super) fn start(client: Client, connector: Connector) -> Self {
        let end = Arc::new(Notify::new());
        let ended = Arc::clone(&end);
        let calls = tokio::spawn(async move {
            let (mut standing, mut fresh, mut failed) = (Vec::new(), Vec::new(), 0);
            loop {
                for (times, client) in [(&mut standing, Some(&client)), (&mut fresh, None)] {
                    let begun = Instant::now();
                    match timeout(PATIENCE, call(client, &connector)).await {
                        Ok(Ok(())) => times.push(begun.elapsed().as_secs_f64() * 1e3),
                        Ok(Err(_)) | Err(_) => failed += 1,
                    }
                }
                if timeout(PAUSE, ended.notified()).await.is_ok() {
                    return Called {
                        standing: Samples::new(standing),
                        fresh: Samples::new(fresh),
                        failed,
                    };
                }
            }
        });
        Self { end, calls }
    }

    /// What became of them.
    pub(super) async fn end(self) -> Result<Called, DaemonError> {
        self.end.notify_one();
        let called = self.calls.await;
        called.map_err(|error| DaemonError::Folder(std::io::Error::other(error)))
    }
}

async fn call(client: Option<&Client>, connector: &Connector) -> Result<(), DaemonError> {
    let new = match client {
        Some(_) => None,
        None => Some(connector.connect().await?),
    };
    let Some(client) = client.or(new.as_ref()) else {
        return Ok(());
    };
    let status = client.node().get_status(GetStatusRequest::default()).await;
    match status {
        Ok(_) => Ok(()),
        Err(refused) => Err(DaemonError::Call(refused.to_string())),
    }
}
