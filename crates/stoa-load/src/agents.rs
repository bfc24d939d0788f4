//! Several machines as one tester: a coordinator, which is `run`, and agents, which have the peers.
//!
//! The coordinator alone calls the server's control API. It asks an agent for an offer (`remote`, by a `link`), calls Join,
//! and hands the answer to the agent, whose peers send to where that answer says and to nobody else. So agents
//! need no API key. An agent (`serve`) does nothing without the key that it shares with the coordinator (`key`),
//! has one coordinator at a time, and ends all of its peers when that one is gone. They talk over QUIC (`wire`).
//! The agents' clocks are compared with the coordinator's all the time (`clock`).

mod clock;
mod error;
mod key;
mod link;
mod remote;
mod serve;
mod wire;

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;

pub(crate) use self::{
    error::AgentError,
    key::Key,
    remote::RemoteThread,
    serve::{Settings, question_again, serve},
};
use self::{remote::Agent, wire::Begin};
use crate::{
    judge::tester_was_the_bottleneck,
    report::{self, Second, Tester},
};

/// How many agents a run may have.
pub(crate) const MOST_AGENTS: usize = 64;

/// The agents of a run; none where its peers are in this process.
#[derive(Default)]
pub(crate) struct Agents(Vec<Agent>);

impl Agents {
    /// Comes to all of them, for so many groups of peers of a server whose control API is there.
    ///
    /// # Errors
    /// The [`AgentError`] of the first that cannot be had; then none is.
    pub(crate) async fn meet(
        addresses: &[String],
        key: &Key,
        groups: usize,
        seed: u64,
        server: SocketAddr,
    ) -> Result<Self, AgentError> {
        let meet = async |number: u64, address: &String| {
            let begin = Begin {
                groups,
                // So that no two machines have the same luck with their networks.
                seed: seed ^ (number << 32),
                server,
            };
            Agent::meet(address, key, &begin).await
        };
        let meeting = (0..).zip(addresses);
        let met = join_all(meeting.map(|(number, address)| meet(number, address))).await;
        let (mut agents, mut failure) = (Self::default(), None);
        for agent in met {
            match agent {
                Ok(agent) => agents.0.push(agent),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            None => Ok(agents),
            Some(error) => {
                agents.part().await;
                Err(error)
            }
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The threads of all, in turn: the first of each, the second of each, and so on.
    pub(crate) fn threads(&self) -> Vec<RemoteThread> {
        let most = self.0.iter().map(Agent::threads).max().unwrap_or(0);
        let of_turn = |turn| self.0.iter().filter_map(move |agent| agent.thread(turn));
        (0..most).flat_map(of_turn).collect()
    }

    /// How well a latency is known between peers of two agents, in the worst case; `None` where no two agents
    /// are there.
    pub(crate) fn latency_within(&self) -> Option<Duration> {
        let mut within: Vec<Duration> = self.0.iter().map(Agent::worst_within).collect();
        within.sort_unstable();
        match within[..] {
            [.., second, first] => Some(first + second),
            _ => None,
        }
    }

    /// What a report says of them after these seconds.
    pub(crate) fn describe(&self, seconds: &[Second]) -> Vec<report::Agent> {
        let peers = |name: &str| {
            let last = seconds.last().and_then(|second| second.agents.get(name));
            last.map_or(0, |agent| agent.peers)
        };
        let all: u64 = self.0.iter().map(|agent| peers(agent.name())).sum();
        let describe = |agent: &Agent| {
            let measured = seconds.iter().filter(|second| second.measured);
            let testers: Vec<Tester> = measured
                .filter_map(|second| Some(second.agents.get(agent.name())?.tester))
                .collect();
            let mut invalid_because = tester_was_the_bottleneck(&testers);
            invalid_because.extend(agent.gone().map(|error| error.to_string()));
            let offset = agent.offset();
            let peers = peers(agent.name());
            report::Agent {
                address: agent.name().to_owned(),
                machine: agent.machine().clone(),
                peers,
                share_percent: 100.0 * peers as f64 / all.max(1) as f64,
                clock_ahead_ms: offset.ahead as f64 / 1e6,
                clock_within_ms: agent.worst_within().as_secs_f64() * 1e3,
                valid: invalid_because.is_empty(),
                invalid_because,
            }
        };
        self.0.iter().map(describe).collect()
    }

    /// Lets them go.
    pub(crate) async fn part(&self) {
        join_all(self.0.iter().map(Agent::part)).await;
    }
}
