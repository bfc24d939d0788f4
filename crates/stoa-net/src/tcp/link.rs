//! What passes between a worker and the TCP thread: rings of one producer and one consumer, so that neither
//! waits for the other.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Instant,
};

use rtrb::{Consumer, Producer, RingBuffer};
use stoa_core::{Endpoint, Node};

use super::{
    ConnectionKey,
    counts::{Counts, Reason},
};
use crate::{
    doorbell::Doorbell,
    passage::{Entrance, Exit, passage},
};

/// How many datagrams of connections wait for a worker: a second of twenty talkers.
const INBOUND_CAPACITY: usize = 1_024;

/// How many datagrams of a worker wait for the TCP thread: one packet for each of as many listeners.
const OUTBOUND_CAPACITY: usize = 4_096;

/// To a worker.
pub(super) enum FromTcp {
    Datagram {
        connection: ConnectionKey,
        remote: SocketAddr,
        contents: Vec<u8>,
    },
    /// The connection is closed.
    Closed {
        connection: ConnectionKey,
        remote: SocketAddr,
    },
}

/// From a worker.
pub(super) enum ToTcp {
    Send(ConnectionKey, Vec<u8>),
    /// Whoever is there has shown a credential.
    Admit(ConnectionKey),
    /// The node knows nobody there.
    Refuse(ConnectionKey),
}

/// The worker's end.
pub(crate) struct TcpLink {
    inbound: Consumer<FromTcp>,
    /// The TCP thread is woken when the worker has ended: it ends with its last one.
    outbound: Entrance<ToTcp>,
    /// By which connection somebody is reached whom the node knows.
    connections: HashMap<SocketAddr, ConnectionKey>,
    /// Bytes of the datagrams that were handed on.
    pub(crate) bytes: u64,
    pub(crate) counts: Arc<Counts>,
}

/// The TCP thread's end.
pub(super) struct WorkerEnd {
    inbound: Producer<FromTcp>,
    outbound: Exit<ToTcp>,
    doorbell: Arc<Doorbell>,
    /// Closed connections that the worker has to be told of and had no room for. Their places in the table
    /// are not given to others before.
    closed: VecDeque<FromTcp>,
    is_due: bool,
    pub(super) counts: Arc<Counts>,
}

/// Both ends, with the bells of the worker and of the TCP thread.
pub(super) fn link(worker: Arc<Doorbell>, tcp: Arc<Doorbell>) -> (TcpLink, WorkerEnd) {
    let (to_worker, inbound) = RingBuffer::new(INBOUND_CAPACITY);
    let (to_tcp, outbound) = passage(OUTBOUND_CAPACITY, tcp);
    let counts = Arc::new(Counts::default());
    let link = TcpLink {
        inbound,
        outbound: to_tcp,
        connections: HashMap::new(),
        bytes: 0,
        counts: Arc::clone(&counts),
    };
    let end = WorkerEnd {
        inbound: to_worker,
        outbound,
        doorbell: worker,
        closed: VecDeque::new(),
        is_due: false,
        counts,
    };
    (link, end)
}

impl TcpLink {
    /// Hands the node what has come, at most so much. Returns whether anything had.
    pub(crate) fn receive(&mut self, node: &mut Node, at_most: usize) -> bool {
        let mut any = false;
        for _ in 0..at_most {
            let Ok(item) = self.inbound.pop() else {
                break;
            };
            any = true;
            match item {
                FromTcp::Datagram {
                    connection,
                    remote,
                    contents,
                } => self.take(node, connection, remote, &contents),
                FromTcp::Closed { connection, remote } => {
                    if self.connections.get(&remote) == Some(&connection) {
                        self.connections.remove(&remote);
                        node.handle_disconnect(Instant::now(), Endpoint::tcp(remote));
                    }
                }
            }
        }
        any
    }

    fn take(
        &mut self,
        node: &mut Node,
        connection: ConnectionKey,
        remote: SocketAddr,
        contents: &[u8],
    ) {
        let endpoint = Endpoint::tcp(remote);
        node.handle_datagram(Instant::now(), endpoint, None, contents);
        if !node.is_known(endpoint) {
            self.connections.remove(&remote);
            self.push(ToTcp::Refuse(connection));
        } else if self.connections.insert(remote, connection) != Some(connection) {
            self.push(ToTcp::Admit(connection));
        }
    }

    /// Whether more has come.
    pub(crate) fn has_more(&self) -> bool {
        !self.inbound.is_empty()
    }

    /// Hands on what the node wants sent to this address.
    pub(crate) fn send(&mut self, remote: SocketAddr, contents: Vec<u8>) {
        match self.connections.get(&remote) {
            Some(&connection) => {
                self.bytes += contents.len() as u64;
                self.push(ToTcp::Send(connection, contents));
            }
            None => self.counts.count(Reason::NoConnection),
        }
    }

    fn push(&mut self, item: ToTcp) {
        if self.outbound.push(item).is_err() {
            self.counts.count(Reason::OutboundFull);
        }
    }

    /// Wakes the TCP thread, if something has gone in.
    pub(crate) fn ring(&mut self) {
        self.outbound.ring();
    }

    /// How much has gone in.
    pub(crate) fn fence(&self) -> u64 {
        self.outbound.fence()
    }

    /// Whether that much has been handed to the kernel, or dropped. A thread that has ended sends nothing.
    pub(crate) fn has_passed(&self, fence: u64) -> bool {
        self.outbound.has_passed(fence)
    }

    /// An answer waits until that much has passed: audio that a slow reader keeps waiting is dropped for it.
    pub(crate) fn hurry(&mut self, fence: u64) {
        self.outbound.hurry(fence);
    }
}

impl WorkerEnd {
    /// Hands a datagram to the worker.
    pub(super) fn hand_on(
        &mut self,
        connection: ConnectionKey,
        remote: SocketAddr,
        contents: Vec<u8>,
    ) {
        // Never before it knows whose connection was here last.
        self.tell_closed();
        let item = FromTcp::Datagram {
            connection,
            remote,
            contents,
        };
        if self.closed.is_empty() && self.inbound.push(item).is_ok() {
            self.is_due = true;
        } else {
            self.counts.count(Reason::InboundFull);
        }
    }

    /// Lets the worker know that a connection is closed.
    pub(super) fn close(&mut self, connection: ConnectionKey, remote: SocketAddr) {
        self.closed
            .push_back(FromTcp::Closed { connection, remote });
        self.tell_closed();
    }

    /// Says what found no room before.
    pub(super) fn tell_closed(&mut self) {
        while let Some(item) = self.closed.pop_front() {
            if let Err(rtrb::PushError::Full(item)) = self.inbound.push(item) {
                self.closed.push_front(item);
                return;
            }
            self.is_due = true;
        }
    }

    /// How many closed connections the worker does not know of yet.
    pub(super) fn untold(&self) -> usize {
        self.closed.len()
    }

    /// Wakes the worker, if something has gone in.
    pub(super) fn ring(&mut self) {
        if std::mem::take(&mut self.is_due) {
            self.doorbell.ring();
        }
    }

    /// What the worker wants done next.
    pub(super) fn pop(&mut self) -> Option<ToTcp> {
        self.outbound.pop()
    }

    /// Whether the worker wants more.
    pub(super) fn has_more(&self) -> bool {
        self.outbound.has_more()
    }

    /// Whether the worker has ended, and all that it wanted is done.
    pub(super) fn is_over(&self) -> bool {
        self.outbound.is_over()
    }

    /// Whether an answer of the worker waits.
    pub(super) fn is_in_a_hurry(&self) -> bool {
        self.outbound.is_awaited()
    }

    /// All that was popped has been handed to the kernel, or dropped. The worker will be woken if it waits for that.
    pub(super) fn pass(&mut self) {
        self.is_due |= self.outbound.pass(self.outbound.popped());
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;
    use crate::primitives::waker_of_nobody;

    fn connected() -> (TcpLink, WorkerEnd, ConnectionKey, SocketAddr) {
        let bell = || Arc::new(Doorbell::new(waker_of_nobody()));
        let (mut link, end) = link(bell(), bell());
        let key = SlotMap::<ConnectionKey, ()>::with_key().insert(());
        let remote = "198.51.100.1:1".parse().unwrap();
        link.connections.insert(remote, key);
        (link, end, key, remote)
    }

    #[test]
    fn what_went_in_has_passed_when_it_was_written_not_when_it_was_taken() {
        let (mut link, mut end, _, remote) = connected();
        assert!(link.has_passed(link.fence()));
        link.send(remote, vec![1]);
        let fence = link.fence();
        assert!(end.pop().is_some() && !link.has_passed(fence));
        // Somebody reads slowly; then an answer waits.
        assert!(!end.is_in_a_hurry());
        link.hurry(fence);
        assert!(end.is_in_a_hurry());
        end.pass();
        assert!(link.has_passed(fence) && !end.is_in_a_hurry());
        // More has gone in before it was asked for than was taken: it is in a hurry still.
        link.send(remote, vec![2]);
        link.hurry(link.fence());
        end.pass();
        assert!(end.is_in_a_hurry() && !link.has_passed(link.fence()));
    }

    #[test]
    fn nothing_waits_for_a_thread_that_has_ended() {
        let (mut link, end, _, remote) = connected();
        link.send(remote, vec![1]);
        drop(end);
        assert!(link.has_passed(link.fence()));
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let (mut link, mut end, key, remote) = connected();
        (0..=OUTBOUND_CAPACITY).for_each(|_| link.send(remote, vec![1]));
        link.send("198.51.100.1:2".parse().unwrap(), vec![1]);
        (0..=INBOUND_CAPACITY).for_each(|_| end.hand_on(key, remote, vec![1]));
        // That somebody is gone is not lost, and nothing of who comes after overtakes it.
        end.close(key, remote);
        assert!(link.inbound.pop().is_ok());
        end.hand_on(key, remote, vec![2]);
        let counts: HashMap<_, _> = link.counts.by_name().collect();
        assert_eq!(counts["tcp_outbound_full"], 1);
        assert_eq!(counts["tcp_no_connection"], 1);
        assert_eq!(counts["tcp_inbound_full"], 2);
        let last = std::iter::from_fn(|| link.inbound.pop().ok()).last();
        assert!(matches!(last, Some(FromTcp::Closed { .. })));
    }
}
