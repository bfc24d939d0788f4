//! What a worker says of itself.

use std::{collections::BTreeMap, time::Instant};

use stoa_core::{DropReason, Stats};

use super::Worker;
use crate::{
    outbox::{Counts, MAX_WAITING, Outbox},
    status::WorkerStatus,
};

impl Worker {
    /// Lets others see how things stand.
    pub(super) fn publish(&mut self) {
        let status = self.describe(&self.node.stats());
        // Never wait for a reader: the next turn publishes newer figures anyway.
        if let Ok(mut published) = self.status.try_lock() {
            *published = status;
        }
    }

    fn describe(&self, stats: &Stats) -> WorkerStatus {
        let mut dropped: BTreeMap<_, _> = DropReason::ALL
            .iter()
            .map(|&reason| (reason.name(), stats.dropped(reason)))
            .collect();
        let sum =
            |of: fn(&Counts) -> u64| self.outboxes.iter().map(|outbox| of(&outbox.counts)).sum();
        let failed: u64 = sum(|counts| counts.failed);
        let unsent = sum(|counts| counts.buffer_full);
        dropped.insert("send_buffer_full", unsent);
        dropped.insert("send_failed", failed + self.without_socket);
        let ways = self.ways.iter().flatten();
        dropped.insert("relay_full", ways.map(|way| way.dropped).sum());
        dropped.insert("lobby_full", self.lobby_full);
        let tcp = self.tcp.as_ref().map(|tcp| &tcp.counts);
        dropped.extend(tcp.iter().flat_map(|counts| counts.by_name()));
        let bytes_by_tcp = self.tcp.as_ref().map_or(0, |tcp| tcp.bytes);
        let sent_by_tcp = tcp.map_or(0, |counts| counts.sent());
        WorkerStatus {
            port: self
                .sockets
                .first()
                .map_or(0, |socket| socket.address().port()),
            rooms: stats.rooms,
            participants: stats.participants,
            seats: stats.seats,
            audiences: stats.audiences,
            timers: stats.timers,
            datagrams_received: stats.datagrams_in,
            bytes_received: stats.bytes_in,
            datagrams_sent: sum(|counts| counts.sent) + sent_by_tcp,
            bytes_sent: sum(|counts| counts.bytes) + bytes_by_tcp,
            send_queue: self.outboxes.iter().map(Outbox::waiting).sum(),
            send_queue_capacity: MAX_WAITING,
            datagrams_unsent: unsent,
            busy: self.clock.busy,
            lateness: self.clock.lateness,
            panics: stats.panics,
            published: Some(Instant::now()),
            datagrams_dropped: dropped,
        }
    }
}
