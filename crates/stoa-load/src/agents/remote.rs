//! An agent as the coordinator sees it.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use quinn::{Connection, ConnectionError, Endpoint};
use serde::{Serialize, de::DeserializeOwned};
use slotmap::{Key as _, KeyData};
use tokio::{
    sync::oneshot,
    task::AbortHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    AgentError,
    clock::{Exchange, Exchanges, Offset},
    key::{BUSY, DONE, ENDED, Key, SERVER_NAME},
    wire::{self, ANSWER_BYTES, Answer, Begin, Question, Ready, Times, WireError},
};
use crate::{
    clock::nanos,
    peer::PeerError,
    report::Machine,
    swarm::{Newcomer, Sample, SeatKey},
};

/// How long coming to an agent may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take that waits for nobody else.
const ANSWER: Duration = Duration::from_secs(10);

/// How long one may take that waits for a session: longer than whoever asks does.
const SESSION: Duration = Duration::from_secs(60);

/// How long the last packets may take.
const LAST_PACKETS: Duration = Duration::from_millis(500);

/// How many times the clocks are compared at the beginning, and how often later.
const FIRST_COMPARISONS: usize = 8;
const COMPARE: Duration = Duration::from_millis(250);

/// TLS alerts as QUIC has them (RFC 9001, section 4.8): whose certificates cannot be used, and that there is no
/// protocol in common (RFC 7301).
const ALERTS_OF_CERTIFICATES: std::ops::RangeInclusive<u64> = 0x100 + 42..=0x100 + 51;
const ALERT_NO_CERTIFICATE: u64 = 0x100 + 116;
const ALERT_NO_PROTOCOL: u64 = 0x100 + 120;

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

/// The connection to an agent.
struct Link {
    /// As it was named.
    name: String,
    connection: Connection,
    clocks: Mutex<Clocks>,
}

#[derive(Default)]
struct Clocks {
    exchanges: Exchanges,
    /// The least that was known of the clock, in nanoseconds.
    worst_within: i64,
}

impl Agent {
    pub(super) async fn meet(
        address: &str,
        key: &Key,
        groups: usize,
        seed: u64,
        server: SocketAddr,
    ) -> Result<Self, AgentError> {
        let unreachable = |why: String| AgentError::Unreachable {
            agent: address.to_owned(),
            why,
        };
        let found = tokio::net::lookup_host(address).await;
        let found: Vec<SocketAddr> = found
            .map_err(|error| unreachable(error.to_string()))?
            .collect();
        let first = found.iter().find(|found| found.is_ipv4());
        let to = *first
            .or(found.first())
            .ok_or_else(|| unreachable("the host has no address".to_owned()))?;
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
        let link = Arc::new(Link {
            name: address.to_owned(),
            connection,
            clocks: Mutex::default(),
        });
        let begin = Begin {
            groups,
            seed,
            server,
        };
        let ready = link.ask(&begin).await.map_err(|error| match error {
            AgentError::Gone { agent, why } => AgentError::Unreachable { agent, why },
            error => error,
        })?;
        for _ in 0..FIRST_COMPARISONS {
            link.compare_clocks().await?;
        }
        // What the first ones alone did not tell is of no importance.
        link.clocks().worst_within = 0;
        link.compare_clocks().await?;
        let comparing = tokio::spawn(Arc::clone(&link).go_on_comparing()).abort_handle();
        Ok(Self {
            link,
            endpoint,
            ready,
            comparing,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.link.name
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
        Duration::from_nanos(self.link.clocks().worst_within.unsigned_abs())
    }

    /// Why it is gone, if it is.
    pub(super) fn gone(&self) -> Option<AgentError> {
        let reason = self.link.connection.close_reason()?;
        Some(self.link.gone(in_words(&reason)))
    }

    /// Lets it go.
    pub(super) async fn part(&self) {
        self.comparing.abort();
        self.link.connection.close(DONE, b"");
        // Where it cannot be told, it notices by the silence.
        let _ = timeout(LAST_PACKETS, self.endpoint.wait_idle()).await;
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.comparing.abort();
        self.link.connection.close(DONE, b"");
    }
}

impl RemoteThread {
    /// The agent that has it, as it was named.
    pub(crate) fn agent(&self) -> &str {
        &self.link.name
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
        answer: String,
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

impl Link {
    async fn begin(&self, question: &impl Serialize) -> Result<quinn::RecvStream, WireError> {
        let (mut to, answers) = self.connection.open_bi().await?;
        wire::send(&mut to, question).await?;
        Ok(answers)
    }

    async fn ask<T: DeserializeOwned>(&self, question: &impl Serialize) -> Result<T, AgentError> {
        self.ask_for(ANSWER, question).await
    }

    async fn ask_for<T: DeserializeOwned>(
        &self,
        longest: Duration,
        question: &impl Serialize,
    ) -> Result<T, AgentError> {
        let asked = timeout(longest, async {
            let mut answers = self.begin(question).await?;
            wire::receive::<Answer<T>>(&mut answers, ANSWER_BYTES).await
        });
        let answer = self.got(asked.await)?;
        answer.map_err(|why| self.refused(why))
    }

    fn got<T>(
        &self,
        asked: Result<Result<T, WireError>, tokio::time::error::Elapsed>,
    ) -> Result<T, AgentError> {
        match asked {
            Ok(Ok(got)) => Ok(got),
            Ok(Err(error)) => Err(match self.connection.close_reason() {
                Some(reason) => self.gone(in_words(&reason)),
                None => self.gone(error.to_string()),
            }),
            Err(_) => Err(self.gone("it does not answer".to_owned())),
        }
    }

    fn gone(&self, why: String) -> AgentError {
        AgentError::Gone {
            agent: self.name.clone(),
            why,
        }
    }

    fn refused(&self, why: String) -> AgentError {
        AgentError::Refused {
            agent: self.name.clone(),
            why,
        }
    }

    fn clocks(&self) -> std::sync::MutexGuard<'_, Clocks> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offset(&self) -> Offset {
        let now = nanos(SystemTime::now());
        self.clocks().exchanges.offset(now).unwrap_or_default()
    }

    /// Compares the clocks once more, and tells the agent what is known.
    async fn compare_clocks(&self) -> Result<(), AgentError> {
        let known = self.offset();
        let asked = nanos(SystemTime::now());
        let question = Question::Clock { ahead: known.ahead };
        let times: Times = self.ask(&question).await?;
        let returned = nanos(SystemTime::now());
        let mut clocks = self.clocks();
        clocks.worst_within = clocks.worst_within.max(known.within);
        clocks.exchanges.take(Exchange {
            asked,
            received: times.received,
            answered: times.answered,
            returned,
        });
        Ok(())
    }

    async fn go_on_comparing(self: Arc<Self>) {
        let mut turn = interval(COMPARE);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turn.tick().await;
            // Whoever wants something of an agent that is gone learns of it.
            if self.compare_clocks().await.is_err() {
                return;
            }
        }
    }
}

/// Why there is no connection to an agent.
fn in_words(error: &ConnectionError) -> String {
    let alert = match error {
        ConnectionError::TransportError(error) => u64::from(error.code),
        ConnectionError::ConnectionClosed(close) => u64::from(close.error_code),
        _ => 0,
    };
    if ALERTS_OF_CERTIFICATES.contains(&alert) || alert == ALERT_NO_CERTIFICATE {
        return "it has another key".to_owned();
    }
    if alert == ALERT_NO_PROTOCOL {
        return "it is of another version".to_owned();
    }
    match error {
        ConnectionError::TimedOut => "nothing is heard from it".to_owned(),
        ConnectionError::ApplicationClosed(close) if close.error_code == BUSY => {
            "another coordinator has it".to_owned()
        }
        ConnectionError::ApplicationClosed(close) if close.error_code == ENDED => {
            "it was ended".to_owned()
        }
        error => error.to_string(),
    }
}
