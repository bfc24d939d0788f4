//! What passes from one worker to another: messages that must arrive, and packets that may be dropped.
//!
//! Each worker has a way to each other one. Packets go through a ring of one producer and one consumer, so
//! that nobody waits for anybody; when it is full the packet is dropped and counted. Messages that do not
//! find room wait with their sender, who takes no commands meanwhile: commands are what causes most of them,
//! so what waits is bounded by what a turn of the loop can cause.
//!
//! A worker whose room is heard elsewhere must not answer that somebody is silenced while packets of theirs
//! are still under way. So every way counts how many packets went in ([`Outgoing::fence`]) and how many of
//! them have been dealt with and sent to the network at the other end ([`Outgoing::has_passed`]). What goes on
//! from there by TCP has to have left there, too; somebody who reads slowly may keep it waiting until an
//! answer waits for it ([`Outgoing::await_passing`]).

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
};

use stoa_core::{Message, Relayed, WorkerId};

use crate::{
    doorbell::Doorbell,
    passage::{Entrance, Exit, passage},
    tcp::TcpLink,
};

/// How many packets are under way between two workers: 2 s of ten speakers in as many rooms.
const RING_CAPACITY: usize = 1_024;

/// How many messages wait for a worker, from all others and the lobbies. A join takes about ten.
pub(crate) const LETTERS_CAPACITY: usize = 16_384;

/// The sending end of a way.
pub(crate) struct Outgoing<P = Relayed> {
    packets: Entrance<P>,
    letters: SyncSender<Message>,
    /// Messages that found no room.
    backlog: VecDeque<Message>,
    /// Packets that found no room.
    pub(crate) dropped: u64,
}

/// The receiving end of the packets of a way. Messages of all ways come together.
pub(crate) struct Incoming<P = Relayed> {
    pub(crate) from: WorkerId,
    packets: Exit<P>,
    /// How many packets will have left when so much has left by TCP.
    leaving: Option<(u64, u64)>,
}

/// A way from a worker to another one, whose mailbox and bell these are.
pub(crate) fn way<P>(
    from: WorkerId,
    letters: SyncSender<Message>,
    doorbell: Arc<Doorbell>,
) -> (Outgoing<P>, Incoming<P>) {
    let (entrance, exit) = passage(RING_CAPACITY, doorbell);
    let outgoing = Outgoing {
        packets: entrance,
        letters,
        backlog: VecDeque::new(),
        dropped: 0,
    };
    let incoming = Incoming {
        from,
        packets: exit,
        leaving: None,
    };
    (outgoing, incoming)
}

impl<P> Outgoing<P> {
    /// Says something.
    pub(crate) fn tell(&mut self, message: Message) {
        self.backlog.push_back(message);
        self.catch_up();
    }

    /// Hands a packet on.
    pub(crate) fn hand_on(&mut self, packet: P) {
        if self.packets.push(packet).is_err() {
            self.dropped += 1;
        }
    }

    /// Says what found no room before.
    pub(crate) fn catch_up(&mut self) {
        while let Some(message) = self.backlog.pop_front() {
            match self.letters.try_send(message) {
                // Whoever has stopped misses nothing.
                Ok(()) | Err(TrySendError::Disconnected(_)) => self.packets.owe_a_ring(),
                Err(TrySendError::Full(message)) => {
                    self.backlog.push_front(message);
                    return;
                }
            }
        }
    }

    /// Whether messages wait for room.
    pub(crate) fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Wakes the other worker, if something has gone in.
    pub(crate) fn ring(&mut self) {
        self.packets.ring();
    }

    /// How many packets have gone in.
    pub(crate) fn fence(&self) -> u64 {
        self.packets.fence()
    }

    /// An answer waits until that many have left for the network.
    pub(crate) fn await_passing(&self, fence: u64) {
        self.packets.hurry(fence);
    }

    /// Whether that many have left for the network.
    pub(crate) fn has_passed(&self, fence: u64) -> bool {
        self.packets.has_passed(fence)
    }
}

impl<P> Incoming<P> {
    /// The next packet, if one has come.
    pub(crate) fn pop(&mut self) -> Option<P> {
        self.packets.pop()
    }

    /// Whether more have come.
    pub(crate) fn has_more(&self) -> bool {
        self.packets.has_more()
    }

    /// All that was popped has left for the network, but for what has to leave by TCP still. Whoever waits for it
    /// need not be woken: a worker that holds an answer back looks again by itself.
    pub(crate) fn pass(&mut self, tcp: Option<&mut TcpLink>) {
        let all = self.packets.popped();
        let Some(tcp) = tcp else {
            self.packets.pass(all);
            return;
        };
        let (popped, fence) = self.leaving.unwrap_or((all, tcp.fence()));
        if tcp.has_passed(fence) {
            self.packets.pass(popped);
            self.leaving = (popped < all).then(|| (all, tcp.fence()));
        } else {
            self.leaving = Some((popped, fence));
        }
        if let Some((_, fence)) = self.leaving
            && self.packets.is_awaited()
        {
            tcp.hurry(fence);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;
    use crate::primitives::waker_of_nobody;

    fn ways() -> (Outgoing<usize>, Incoming<usize>, Receiver<Message>) {
        let (letters, received) = sync_channel(1);
        let (out, into) = way(
            WorkerId(0),
            letters,
            Arc::new(Doorbell::new(waker_of_nobody())),
        );
        (out, into, received)
    }

    #[test]
    fn packets_arrive_in_order_and_those_that_find_no_room_are_counted() {
        let (mut out, mut into, _received) = ways();
        (0..RING_CAPACITY + 3).for_each(|number| out.hand_on(number));
        assert_eq!(out.dropped, 3);
        let numbers: Vec<usize> = std::iter::from_fn(|| into.pop()).collect();
        assert_eq!(numbers, (0..RING_CAPACITY).collect::<Vec<_>>());
        assert!(!into.has_more());
        out.hand_on(7);
        assert_eq!(
            (into.has_more(), into.pop(), out.dropped),
            (true, Some(7), 3)
        );
    }

    #[test]
    fn a_packet_has_passed_when_it_was_sent_not_when_it_was_taken() {
        let (mut out, mut into, _received) = ways();
        assert!(out.has_passed(out.fence()));
        (0..2).for_each(|number| out.hand_on(number));
        let fence = out.fence();
        assert!(into.pop().is_some() && into.pop().is_some());
        assert!(!out.has_passed(fence));
        into.pass(None);
        assert!(out.has_passed(fence));
        out.hand_on(2);
        assert!(out.has_passed(fence) && !out.has_passed(out.fence()));
    }
}
