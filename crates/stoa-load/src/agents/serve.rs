//! An agent: has peers for whoever has its key, for one coordinator at a time.

mod visit;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quinn::{Endpoint, Incoming};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use self::visit::Visit;
pub(crate) use self::visit::question_again;
use super::{
    Key,
    error::AgentError,
    key::{BUSY, ENDED},
};

/// How many connections may be there or on their way, of whomever.
const MOST_CONNECTIONS: usize = 16;

/// How long somebody may take to show that they have the key.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a coordinator waits for one that may be about to leave.
const LEAVING: Duration = Duration::from_secs(2);

/// How long the last packets may take.
const LAST_PACKETS: Duration = Duration::from_millis(500);

/// How an agent is.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) threads: usize,
    /// Where peers are, if not where the way to the server begins.
    pub(crate) local: Option<IpAddr>,
    /// How far its clock is taken to be ahead of what it is, in milliseconds.
    pub(crate) clock_ahead_ms: i32,
}

/// Serves coordinators, one at a time, until `stop` comes; `say` tells people how it goes.
///
/// # Errors
/// [`AgentError`] if it cannot listen.
pub(crate) async fn serve(
    settings: Settings,
    key: &Key,
    stop: impl Future<Output = ()>,
    say: fn(&str),
) -> Result<(), AgentError> {
    let cannot = |error: std::io::Error| {
        AgentError::Start(format!("cannot listen at {}: {error}", settings.listen))
    };
    let endpoint = Endpoint::server(key.server()?, settings.listen).map_err(cannot)?;
    let address = endpoint.local_addr().map_err(cannot)?;
    say(&format!("An agent of stoa-load listens at {address}.\n"));
    let agent = Arc::new(Agent {
        settings,
        place: Semaphore::new(1),
        has_complained: AtomicBool::new(false),
        say,
    });
    let mut visits = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(incoming) = endpoint.accept() => match visits.len() < MOST_CONNECTIONS {
                true => drop(visits.spawn(Arc::clone(&agent).receive(incoming))),
                false => incoming.refuse(),
            },
            Some(_) = visits.join_next() => {}
        }
    }
    endpoint.close(ENDED, b"");
    // Each ends its peers when its connection is closed.
    while visits.join_next().await.is_some() {}
    let _ = timeout(LAST_PACKETS, endpoint.wait_idle()).await;
    Ok(())
}

struct Agent {
    settings: Settings,
    /// Of the one coordinator.
    place: Semaphore,
    /// Whether it has been said that somebody without the key came, since the last coordinator.
    has_complained: AtomicBool,
    say: fn(&str),
}

impl Agent {
    async fn receive(self: Arc<Self>, incoming: Incoming) {
        let connection = match timeout(HANDSHAKE, incoming).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return self.complain(&error.to_string()),
            Err(_) => return self.complain("no key within the time for it"),
        };
        let Ok(Ok(_place)) = timeout(LEAVING, self.place.acquire()).await else {
            connection.close(BUSY, b"");
            return;
        };
        self.has_complained.store(false, Ordering::Relaxed);
        (self.say)("A coordinator has come.\n");
        let why = match Visit::begin(&connection, &self.settings).await {
            Ok(visit) => Arc::new(visit).last(&connection).await,
            Err(why) => why,
        };
        (self.say)(&format!(
            "The coordinator is gone, and so are all peers: {why}.\n"
        ));
    }

    /// Says once that somebody was turned away: whoever wants to fill a disk with it cannot.
    fn complain(&self, why: &str) {
        if !self.has_complained.swap(true, Ordering::Relaxed) {
            (self.say)(&format!(
                "Somebody came without the key and was turned away ({why}); more of them are not told.\n"
            ));
        }
    }
}
