//! How time passes: the next datagram or timeout, one at a time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use stoa_core::{DropReason, Endpoint, Output, Transmit};

use super::Net;
use crate::ClientId;

/// How long a condition may take to come true, in virtual time.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many turns there may be at one virtual moment: more than thousands of clients take that all
/// hear something at the same time, so somebody asks for another turn without an end.
const MAX_TURNS: usize = 1_000_000;

/// Whose turn is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Arrival,
    Node,
    Client(ClientId),
    Nat(ClientId),
}

impl Net {
    /// Lets time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.elapsed + duration;
        while self.step(end) {}
        self.elapsed = end;
    }

    /// Lets time pass until the condition holds.
    ///
    /// # Panics
    /// If it does not within a virtual minute.
    pub fn run_until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = self.elapsed + PATIENCE;
        while !condition(self) {
            assert!(self.step(end), "not in 60 s: {what}");
        }
    }

    /// Hands in what the node's commands have left to do; for tests that call the node directly.
    pub fn drain_node(&mut self) {
        self.settle_node();
        for transmit in self.collect_node() {
            self.send_down(transmit);
        }
    }

    /// Sends what the workers have sent before a call that takes a right away was answered.
    pub(super) fn settle_node(&mut self) {
        for transmit in self.node.take_settled() {
            self.account(&transmit);
            self.send_down(transmit);
        }
    }

    /// The next thing that happens, if it does before `end`.
    fn step(&mut self, end: Duration) -> bool {
        let Some((next, what)) = self.next().filter(|&(at, _)| at <= end) else {
            return false;
        };
        self.turns = if next > self.elapsed {
            0
        } else {
            self.turns + 1
        };
        assert!(
            self.turns < MAX_TURNS,
            "time stands still at {:?}: {what:?} has its turn again and again",
            self.elapsed
        );
        self.elapsed = self.elapsed.max(next);
        self.steps += 1;
        match what {
            Next::Arrival => self.deliver(),
            Next::Node => {
                self.wakes += 1;
                self.node.handle_timeout(self.now());
                self.drain_node();
            }
            Next::Client(id) => {
                let now = self.now();
                self.clients[id].handle_timeout(now);
                self.drain_client(id);
            }
            Next::Nat(id) => {
                self.rebind_anywhere(id);
                if let Some(nat) = &mut self.access[id].nat {
                    nat.rebound();
                }
            }
        }
        true
    }

    /// What happens next. At the same moment, arrivals are first, in the order of sending.
    fn next(&self) -> Option<(Duration, Next)> {
        let arrival = self.in_flight.keys().next();
        let arrival = arrival.map(|&(at, _)| (at, Next::Arrival));
        let node = self
            .node_timeout
            .map(|at| (self.since_start(at), Next::Node));
        let alive = || (0..self.clients.len()).filter(|&id| !self.clients[id].vanished);
        let client = alive()
            .map(|id| (self.since_start(self.clients[id].timeout), Next::Client(id)))
            .min();
        let nat = alive()
            .filter_map(|id| {
                let nat = self.access[id].nat.as_ref()?;
                Some((nat.next(), Next::Nat(id)))
            })
            .min();
        [arrival, node, client, nat].into_iter().flatten().min()
    }

    fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    /// Returns whether the worker dropped it for one of these reasons.
    pub(super) fn hand_to_node(
        &mut self,
        worker: SocketAddr,
        from: Endpoint,
        contents: &[u8],
        reasons: &[DropReason],
    ) -> bool {
        self.traffic.entry(from.address).or_default().bytes_in += contents.len();
        let dropped = |net: &Self| -> u64 {
            let stats = net.stats();
            reasons.iter().map(|&reason| stats.dropped(reason)).sum()
        };
        let before = dropped(self);
        let local = Some(worker.ip());
        self.node.handle_datagram(self.now(), from, local, contents);
        dropped(self) > before
    }

    fn account(&mut self, transmit: &Transmit) {
        let traffic = self
            .traffic
            .entry(transmit.destination.address)
            .or_default();
        traffic.bytes_out += transmit.contents.len();
        traffic.amplified |= traffic.bytes_out > traffic.bytes_in;
    }

    pub(super) fn collect_node(&mut self) -> Vec<Transmit> {
        let mut transmits = Vec::new();
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => {
                    self.account(&transmit);
                    transmits.push(transmit);
                }
                Output::Event(event) => {
                    let moment = self.moment();
                    self.ledger.told(moment, &event);
                    self.events.push((self.elapsed, event));
                }
                Output::Message { .. } | Output::Relay { .. } => {
                    unreachable!("it stays in the house")
                }
                Output::Timeout { at, .. } => {
                    self.node_timeout = at;
                    return transmits;
                }
            }
        }
    }

    pub(super) fn drain_client(&mut self, id: ClientId) {
        let elapsed = self.elapsed;
        for contents in self.clients[id].drain(elapsed) {
            self.send_up(id, contents);
        }
    }
}
