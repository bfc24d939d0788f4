//! An agent as the coordinator sees it.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use quinn::{ConnectionError, Endpoint};
use slotmap::{Key as _, KeyData};
use tokio::{sync::oneshot, task::AbortHandle, time::timeout};

use super::{
    clock::Offset,
    error::AgentError,
    key::{Key, SERVER_NAME},
    link::{ANSWER, Link, in_words},
    wire::{self, ANSWER_BYTES, Answer, Begin, Question, Ready},
};
use crate::{
    peer::PeerError,
    report::Machine,
    thread::{Newcomer, Sample, SeatKey},
};

/// How long coming to an agent may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long one may take that waits for a session: longer than whoever asks does.
const SESSION: Duration = Duration::from_secs(60);

/// How long the last packets may take.
const LAST_PACKETS: Duration = Duration::from_millis(500);

/// An agent that is there for this run.
pub(super) struct Agent {
    link: Arc<Link>,
    endpoint: Endpoint,
    ready: Ready,
    comparing: AbortHandle,
}

/// A thread of an agent.
pub(crate) struct RemoteThread {
    link: Arc<Link>,
    number: usize,
}

impl Agent {
    /// Comes to it, and lets it begin.
    pub(super) async fn meet(address: &str, key: &Key, begin: &Begin) -> Result<Self, AgentError> {
        let unreachable = |why: String| AgentError::Unreachable {
            agent: address.to_owned(),
            why,
        };
        let to = resolve(address).await.map_err(unreachable)?;
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let endpoint = Endpoint::client(any).map_err(|error| unreachable(error.to_string()))?;
        let connecting = endpoint
            .connect_with(key.client()?, to, SERVER_NAME)
            .map_err(|error| unreachable(error.to_string()))?;
        let connection = match timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(|error| unreachable(in_words(&error)))?,
            Err(_) => return Err(unreachable(in_words(&ConnectionError::TimedOut))),
        };
        let link = Arc::new(Link::new(address, connection));
        let ready = match link.begin_with(begin).await {
            Ok(ready) => ready,
            Err(error) => {
                // So that it is free for others at once.
                link.close();
                let _ = timeout(LAST_PACKETS, endpoint.wait_idle()).await;
                return Err(match error {
                    AgentError::Gone { agent, why } => AgentError::Unreachable { agent, why },
                    error => error,
                });
            }
        };
        let comparing = tokio::spawn(Arc::clone(&link).go_on_comparing()).abort_handle();
        Ok(Self {
            link,
            endpoint,
            ready,
            comparing,
        })
    }

    pub(super) fn name(&self) -> &str {
        self.link.name()
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.ready.machine
    }

    pub(super) fn threads(&self) -> usize {
        self.ready.threads
    }

    /// One of its threads, if it has so many.
    pub(super) fn thread(&self, number: usize) -> Option<RemoteThread> {
        let link = Arc::clone(&self.link);
        (number < self.ready.threads).then_some(RemoteThread { link, number })
    }

    /// How far its clock is ahead of ours, as far as is known by now.
    pub(super) fn offset(&self) -> Offset {
        self.link.offset()
    }

    /// The least that was known of its clock since peers could be there.
    pub(super) fn worst_within(&self) -> Duration {
        self.link.worst_within()
    }

    /// Why it is gone, if it is.
    pub(super) fn gone(&self) -> Option<AgentError> {
        self.link.closed()
    }

    /// Lets it go.
    pub(super) async fn part(&self) {
        self.comparing.abort();
        self.link.close();
        // Where it cannot be told, it notices by the silence.
        let _ = timeout(LAST_PACKETS, self.endpoint.wait_idle()).await;
    }
}

/// The host's address, the one of IPv4 if there are both.
async fn resolve(address: &str) -> Result<SocketAddr, String> {
    let found = tokio::net::lookup_host(address).await;
    let found: Vec<SocketAddr> = found.map_err(|error| error.to_string())?.collect();
    let first = found.iter().find(|found| found.is_ipv4());
    let first = first.or(found.first()).copied();
    first.ok_or_else(|| "the host has no address".to_owned())
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.comparing.abort();
        self.link.close();
    }
}

impl RemoteThread {
    /// The agent that has it, as it was named.
    pub(crate) fn agent(&self) -> &str {
        self.link.name()
    }

    pub(crate) async fn open(&self, newcomer: Newcomer) -> Result<(SeatKey, String), AgentError> {
        let question = Question::Open {
            thread: self.number,
            newcomer: Box::new(newcomer),
        };
        let (key, offer): (u64, String) = self.link.ask(&question).await?;
        Ok((KeyData::from_ffi(key).into(), offer))
    }

    pub(crate) async fn answer(
        &self,
        key: SeatKey,
        answer: Option<String>,
    ) -> Result<Result<(), PeerError>, AgentError> {
        let question = Question::Answer {
            thread: self.number,
            key: key.data().as_ffi(),
            answer,
        };
        self.link.ask_for(SESSION, &question).await
    }

    pub(crate) async fn close(&self, key: SeatKey, says_goodbye: bool) -> Result<(), AgentError> {
        let question = Question::Close {
            thread: self.number,
            key: key.data().as_ffi(),
            says_goodbye,
        };
        self.link.ask(&question).await
    }

    pub(crate) async fn hears(
        &self,
        speaker: u32,
    ) -> Result<oneshot::Receiver<SystemTime>, AgentError> {
        let question = Question::Hears {
            thread: self.number,
            speaker,
        };
        let (mut to, heard) = oneshot::channel();
        let asked = timeout(ANSWER, async {
            let mut answers = self.link.begin(&question).await?;
            let listens: Answer<()> = wire::receive(&mut answers, ANSWER_BYTES).await?;
            Ok((answers, listens))
        });
        let (mut answers, listens) = self.link.got(asked.await)?;
        listens.map_err(|why| self.link.refused(why))?;
        tokio::spawn(async move {
            tokio::select! {
                answer = wire::receive::<Answer<SystemTime>>(&mut answers, ANSWER_BYTES) => {
                    if let Ok(Ok(at)) = answer {
                        let _ = to.send(at);
                    }
                }
                () = to.closed() => {}
            }
        });
        Ok(heard)
    }

    pub(crate) async fn forbid(
        &self,
        speaker: u32,
        since: Option<SystemTime>,
    ) -> Result<(), AgentError> {
        let question = Question::Forbid {
            thread: self.number,
            speaker,
            since,
        };
        self.link.ask(&question).await
    }

    pub(crate) async fn sample(&self) -> Result<Sample, AgentError> {
        let thread = self.number;
        self.link.ask(&Question::Sample { thread }).await
    }

    pub(crate) async fn end(&self) -> Result<(), AgentError> {
        let thread = self.number;
        self.link.ask(&Question::End { thread }).await
    }
}
