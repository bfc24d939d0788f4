//! How time passes: the next datagram or timeout, one at a time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use stoa_core::{Output, Transmit};

use super::{Datagram, Fate, Net};
use crate::{ClientId, node_address};

/// How long a condition may take to come true, in virtual time.
const PATIENCE: Duration = Duration::from_secs(60);

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
        for transmit in self.collect_node() {
            self.send(
                node_address(),
                transmit.destination,
                transmit.contents,
                Duration::ZERO,
            );
        }
    }

    /// The next thing that happens, if it does before `end`.
    fn step(&mut self, end: Duration) -> bool {
        let arrival = self.in_flight.keys().next().map(|&(at, _)| at);
        let node = self.node_timeout.map(|at| self.since_start(at));
        let client = (0..self.clients.len())
            .filter(|&id| !self.clients[id].vanished)
            .map(|id| (self.since_start(self.clients[id].timeout), id))
            .min();
        let client_at = client.map(|(at, _)| at);
        let Some(next) = [arrival, node, client_at].into_iter().flatten().min() else {
            return false;
        };
        if next > end {
            return false;
        }
        self.elapsed = self.elapsed.max(next);
        if arrival == Some(next) {
            self.deliver();
        } else if node == Some(next) {
            self.wakes += 1;
            self.node.handle_timeout(self.now());
            self.drain_node();
        } else if let Some((_, id)) = client {
            let now = self.now();
            self.clients[id].handle_timeout(now);
            self.drain_client(id);
        }
        true
    }

    fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    fn deliver(&mut self) {
        let Some((_, datagram)) = self.in_flight.pop_first() else {
            return;
        };
        if datagram.to == node_address() {
            self.hand_to_node(datagram.from, &datagram.contents);
            self.drain_node();
        } else {
            let now = self.now();
            let mut clients = self.clients.iter();
            let found = clients.position(|client| client.outer == datagram.to && !client.vanished);
            if let Some(id) = found {
                self.clients[id].receive(now, datagram.from, &datagram.contents);
                self.drain_client(id);
            }
        }
    }

    pub(super) fn hand_to_node(&mut self, from: SocketAddr, contents: &[u8]) {
        self.traffic.entry(from).or_default().bytes_in += contents.len();
        let local = Some(node_address().ip());
        self.node.handle_datagram(self.now(), from, local, contents);
    }

    pub(super) fn collect_node(&mut self) -> Vec<Transmit> {
        let mut transmits = Vec::new();
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => {
                    let traffic = self.traffic.entry(transmit.destination).or_default();
                    traffic.bytes_out += transmit.contents.len();
                    traffic.amplified |= traffic.bytes_out > traffic.bytes_in;
                    transmits.push(transmit);
                }
                Output::Event(event) => self.events.push((self.elapsed, event)),
                Output::Timeout { at, .. } => {
                    self.node_timeout = at;
                    return transmits;
                }
            }
        }
    }

    pub(super) fn drain_client(&mut self, id: ClientId) {
        let elapsed = self.elapsed;
        let client = &mut self.clients[id];
        let (outer, transmits) = (client.outer, client.drain(elapsed));
        for contents in transmits {
            let extra = match (self.uplink)(id, &contents) {
                Fate::Deliver => Duration::ZERO,
                Fate::Lose => continue,
                Fate::Delay(extra) => extra,
            };
            self.send(outer, node_address(), contents, extra);
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, contents: Vec<u8>, extra: Duration) {
        let at = self.elapsed + self.latency + extra;
        self.sent += 1;
        let datagram = Datagram { from, to, contents };
        self.in_flight.insert((at, self.sent), datagram);
    }
}
