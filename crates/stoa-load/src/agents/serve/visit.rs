//! One coordinator's time with an agent: its questions, and the peers that it has there.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use quinn::{Connection, RecvStream, SendStream};
use serde::Serialize;
use slotmap::{Key as _, KeyData};
use tokio::{task::JoinSet, time::timeout};

use super::{
    super::{
        link::in_words,
        wire::{self, Answer, Begin, QUESTION_BYTES, Question, Ready, Times, WireError},
    },
    Settings,
};
use crate::{
    clock::Clock,
    machine,
    scenario::{LONGEST, MOST_GROUPS, MOST_PEERS, MOST_SLOTS},
    socket::Place,
    talk::Manner,
    thread::{Newcomer, Thread, ThreadError},
};

/// The shortest turn on a stage, in seconds.
const SHORTEST_TURN: f64 = 0.1;

/// How long a coordinator may take with its first question.
const BEGIN: Duration = Duration::from_secs(5);

/// A coordinator is there.
pub(super) struct Visit {
    threads: Vec<Thread>,
    groups: usize,
    clock: Clock,
}

impl Visit {
    /// Hears what the coordinator wants at first, and starts the threads for it.
    pub(super) async fn begin(
        connection: &Connection,
        settings: &Settings,
    ) -> Result<Self, String> {
        let first = async {
            let stream = connection.accept_bi().await;
            let (to, mut from) = stream.map_err(|error| error.to_string())?;
            let begin: Result<Begin, _> = wire::receive(&mut from, QUESTION_BYTES).await;
            Ok((to, begin.map_err(|error| error.to_string())?))
        };
        let first = timeout(BEGIN, first).await;
        let (mut to, begin) = first.unwrap_or_else(|_| Err("it wants nothing".to_owned()))?;
        let begun = Self::start(&begin, settings).await;
        let answer = begun.as_ref().map_err(Clone::clone).map(|visit| Ready {
            threads: visit.threads.len(),
            machine: machine::describe(visit.threads.len()),
        });
        // Where that does not get through, the connection is gone, and the next question tells.
        let _ = say(&mut to, answer).await;
        if begun.is_err() {
            // Whoever learns that goes, and nobody waits for long.
            let _ = timeout(BEGIN, connection.closed()).await;
        }
        begun
    }

    async fn start(begin: &Begin, settings: &Settings) -> Result<Self, String> {
        let Begin {
            groups,
            seed,
            server,
        } = *begin;
        if !(1..=MOST_GROUPS).contains(&groups) {
            return Err(format!("there must be 1 to {MOST_GROUPS} groups"));
        }
        let place = match settings.local {
            Some(ip) => Place::Address(ip),
            None => Place::near(server)
                .map_err(|error| format!("no way leads to the server at {server}: {error}"))?,
        };
        let mut visit = Self {
            threads: Vec::new(),
            groups,
            clock: Clock::shifted(i64::from(settings.clock_ahead_ms) * 1_000_000),
        };
        for number in 0..settings.threads {
            match Thread::start(number, place, groups, seed, visit.clock.clone()) {
                Ok(thread) => visit.threads.push(thread),
                Err(error) => {
                    visit.end().await;
                    return Err(format!("cannot start a thread: {error}"));
                }
            }
        }
        Ok(visit)
    }

    async fn end(&self) {
        for thread in &self.threads {
            // One that has failed has no peers any more either.
            let _ = thread.end().await;
        }
    }

    /// Answers until the connection is gone, and ends all peers then. Returns why it went.
    pub(super) async fn last(self: Arc<Self>, connection: &Connection) -> String {
        let mut questions = JoinSet::new();
        let why = loop {
            tokio::select! {
                stream = connection.accept_bi() => match stream {
                    Ok((to, from)) => drop(questions.spawn(Arc::clone(&self).answer(to, from))),
                    Err(error) => break error,
                },
                Some(_) = questions.join_next() => {}
            }
        };
        questions.shutdown().await;
        self.end().await;
        in_words(&why)
    }

    /// Reads one question and answers it, unless whoever asked does not want to know any more. That an answer does
    /// not get through is for the other side to notice.
    async fn answer(self: Arc<Self>, mut to: SendStream, mut from: RecvStream) {
        let stopped = to.stopped();
        let answered = async {
            match wire::receive(&mut from, QUESTION_BYTES).await {
                Ok(question) => self.obey(question, &mut to).await,
                Err(error) => say(&mut to, Answer::<()>::Err(error.to_string())).await,
            }
        };
        tokio::select! {
            _ = answered => {}
            _ = stopped => {}
        }
    }

    async fn obey(&self, question: Question, to: &mut SendStream) -> Result<(), WireError> {
        match question {
            Question::Clock { ahead } => {
                let received = self.clock.machine();
                self.clock.is_ahead_by(ahead);
                let answered = self.clock.machine();
                let times = Times { received, answered };
                say(to, Ok(times)).await
            }
            Question::Open { thread, newcomer } => {
                say(to, self.open(thread, *newcomer).await).await
            }
            Question::Answer {
                thread,
                key,
                answer,
            } => {
                let key = KeyData::from_ffi(key).into();
                say(
                    to,
                    self.on(thread, async |thread| thread.answer(key, answer).await)
                        .await,
                )
                .await
            }
            Question::Close {
                thread,
                key,
                says_goodbye,
            } => {
                let key = KeyData::from_ffi(key).into();
                say(
                    to,
                    self.on(thread, async |thread| thread.close(key, says_goodbye).await)
                        .await,
                )
                .await
            }
            Question::Hears { thread, speaker } => {
                match self
                    .on(thread, async |thread| thread.hears(speaker).await)
                    .await
                {
                    Err(why) => say(to, Answer::<()>::Err(why)).await,
                    Ok(heard) => {
                        say(to, Ok(())).await?;
                        let at = heard.await;
                        say(to, at.map_err(|_| "it has ended".to_owned())).await
                    }
                }
            }
            Question::Forbid {
                thread,
                speaker,
                since,
            } => {
                say(
                    to,
                    self.on(thread, async |thread| thread.forbid(speaker, since).await)
                        .await,
                )
                .await
            }
            Question::Sample { thread } => {
                say(
                    to,
                    self.on(thread, async |thread| thread.sample().await).await,
                )
                .await
            }
            Question::End { thread } => {
                say(to, self.on(thread, async |thread| thread.end().await).await).await
            }
        }
    }

    async fn on<T>(
        &self,
        thread: usize,
        ask: impl AsyncFnOnce(&Thread) -> Result<T, ThreadError>,
    ) -> Answer<T> {
        let thread = self.threads.get(thread);
        let thread = thread.ok_or_else(|| "it has no such thread".to_owned())?;
        ask(thread).await.map_err(|error| error.to_string())
    }

    async fn open(&self, thread: usize, newcomer: Newcomer) -> Answer<(u64, String)> {
        check(&newcomer, self.groups, self.clock.now())?;
        let opened = self.on(thread, async |thread| thread.open(newcomer).await);
        let (key, offer) = opened.await?;
        Ok((key.data().as_ffi(), offer))
    }
}

async fn say<T: Serialize>(to: &mut SendStream, answer: Answer<T>) -> Result<(), WireError> {
    wire::send(to, &answer).await
}

/// Reads a question and writes it again. Nothing where it is none that would be obeyed.
pub(crate) fn question_again(text: &[u8]) -> Option<Vec<u8>> {
    let question: Question = serde_json::from_slice(text).ok()?;
    if let Question::Open { newcomer, .. } = &question {
        check(newcomer, MOST_GROUPS, SystemTime::UNIX_EPOCH).ok()?;
    }
    serde_json::to_vec(&question).ok()
}

/// Whether somebody can be as they are described.
fn check(newcomer: &Newcomer, groups: usize, now: SystemTime) -> Answer<()> {
    let plan = &newcomer.plan;
    let mut wrong = newcomer.group >= groups || !(1..=MOST_SLOTS as usize).contains(&plan.lines);
    if let Some(voice) = &plan.voice {
        let since = now.duration_since(voice.began).unwrap_or_default();
        wrong |= voice.talkers as u64 > MOST_PEERS;
        wrong |= since > Duration::from_secs(2 * LONGEST);
        wrong |= match voice.manner {
            Manner::Stage { turn, .. } => turn.is_nan() || turn < SHORTEST_TURN,
            Manner::Always | Manner::Conversation => false,
        };
    }
    wrong |= newcomer
        .network
        .is_some_and(|network| network.check().is_err());
    match wrong {
        true => Err("nobody can be as this peer is described".to_owned()),
        false => Ok(()),
    }
}
