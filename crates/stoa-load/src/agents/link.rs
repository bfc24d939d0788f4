//! The connection to an agent: questions and their answers, and the comparison of the clocks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use quinn::{Connection, ConnectionError, RecvStream};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{MissedTickBehavior, error::Elapsed, interval, timeout};

use super::{
    clock::{Exchange, Exchanges, Offset},
    error::AgentError,
    key::{BUSY, DONE, ENDED},
    wire::{self, ANSWER_BYTES, Answer, Begin, Question, Ready, Times, WireError},
};
use crate::{clock::nanos, thread::MOST_THREADS};

/// How long an answer may take that waits for nobody else.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// How many times the clocks are compared at the beginning, and how often later.
const FIRST_COMPARISONS: usize = 8;
const COMPARE: Duration = Duration::from_millis(250);

/// TLS alerts as QUIC has them (RFC 9001, section 4.8): whose certificates cannot be used, and that there is no
/// protocol in common (RFC 7301).
const ALERTS_OF_CERTIFICATES: std::ops::RangeInclusive<u64> = 0x100 + 42..=0x100 + 51;
const ALERT_NO_CERTIFICATE: u64 = 0x100 + 116;
const ALERT_NO_PROTOCOL: u64 = 0x100 + 120;

/// The connection to an agent.
pub(super) struct Link {
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

impl Link {
    pub(super) fn new(name: &str, connection: Connection) -> Self {
        Self {
            name: name.to_owned(),
            connection,
            clocks: Mutex::default(),
        }
    }

    /// The agent, as it was named.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Why it is closed, if it is.
    pub(super) fn closed(&self) -> Option<AgentError> {
        let reason = self.connection.close_reason()?;
        Some(self.gone(in_words(&reason)))
    }

    /// The first question, and the first comparisons of the clocks.
    pub(super) async fn begin_with(&self, begin: &Begin) -> Result<Ready, AgentError> {
        let ready: Ready = self.ask(begin).await?;
        if !(1..=MOST_THREADS).contains(&ready.threads) {
            return Err(self.refused(format!("it has {} threads", ready.threads)));
        }
        for _ in 0..FIRST_COMPARISONS {
            self.compare_clocks().await?;
        }
        // Which tells the agent what is known by now; how little that was before is of no importance.
        self.compare_clocks().await?;
        self.clocks().worst_within = 0;
        Ok(ready)
    }

    pub(super) fn close(&self) {
        self.connection.close(DONE, b"");
    }

    /// The least that was known of the agent's clock since it began.
    pub(super) fn worst_within(&self) -> Duration {
        Duration::from_nanos(self.clocks().worst_within.unsigned_abs())
    }

    pub(super) async fn begin(&self, question: &impl Serialize) -> Result<RecvStream, WireError> {
        let (mut to, answers) = self.connection.open_bi().await?;
        wire::send(&mut to, question).await?;
        Ok(answers)
    }

    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        question: &impl Serialize,
    ) -> Result<T, AgentError> {
        self.ask_for(ANSWER, question).await
    }

    pub(super) async fn ask_for<T: DeserializeOwned>(
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

    pub(super) fn got<T>(
        &self,
        asked: Result<Result<T, WireError>, Elapsed>,
    ) -> Result<T, AgentError> {
        match asked {
            Ok(Ok(got)) => Ok(got),
            Ok(Err(error)) => {
                let closed = self.closed();
                Err(closed.unwrap_or_else(|| self.gone(error.to_string())))
            }
            Err(_) => Err(self.gone("it does not answer".to_owned())),
        }
    }

    fn gone(&self, why: String) -> AgentError {
        AgentError::Gone {
            agent: self.name.clone(),
            why,
        }
    }

    pub(super) fn refused(&self, why: String) -> AgentError {
        AgentError::Refused {
            agent: self.name.clone(),
            why,
        }
    }

    fn clocks(&self) -> MutexGuard<'_, Clocks> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn offset(&self) -> Offset {
        let now = nanos(SystemTime::now());
        self.clocks().exchanges.offset(now).unwrap_or_default()
    }

    /// Compares the clocks once more, and tells the agent what is known.
    pub(super) async fn compare_clocks(&self) -> Result<(), AgentError> {
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

    pub(super) async fn go_on_comparing(self: Arc<Self>) {
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

/// Why there is no connection with the other side.
pub(super) fn in_words(error: &ConnectionError) -> String {
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
        ConnectionError::ApplicationClosed(close) if close.error_code == DONE => {
            "it has done what it wanted".to_owned()
        }
        ConnectionError::ApplicationClosed(close) if close.error_code == ENDED => {
            "it was ended".to_owned()
        }
        error => error.to_string(),
    }
}
