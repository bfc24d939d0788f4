//! Setting the TCP thread up: every worker's ports and its end.

use std::{io, sync::Arc, thread::JoinHandle};

use mio::{Interest, Poll, Token, Waker};

use super::{
    Exchange, Port, Worker,
    link::{self, TcpLink},
    listener::Listener,
};
use crate::{
    doorbell::Doorbell,
    part::{self, Failure, Part},
    worker::WAKER,
};

/// How much the thread stands back where the processors are too few for all: those who come by UDP are many,
/// and their packets do not wait for those who come by TCP.
const NICENESS: i32 = 5;

/// The ends of the workers, before the thread runs.
pub(crate) struct Hub {
    pub(super) poll: Poll,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) ports: Vec<Port>,
    pub(super) workers: Vec<Worker>,
}

impl Hub {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        Ok(Self {
            poll,
            doorbell: Arc::new(Doorbell::new(waker)),
            ports: Vec::new(),
            workers: Vec::new(),
        })
    }

    /// Adds a worker whose ports these are, and whose bell. Returns its end.
    pub(crate) fn add(
        &mut self,
        listeners: Vec<Listener>,
        doorbell: Arc<Doorbell>,
    ) -> io::Result<TcpLink> {
        let (link, end) = link::link(doorbell, Arc::clone(&self.doorbell));
        let worker = self.workers.len();
        for mut listener in listeners {
            let token = Token(self.ports.len());
            let registry = self.poll.registry();
            registry.register(&mut listener.socket, token, Interest::READABLE)?;
            self.ports.push(Port {
                listener,
                worker,
                is_ready: false,
            });
        }
        self.workers.push(Worker { end, queued: 0 });
        Ok(link)
    }

    /// Starts the thread. It ends when the last worker has.
    pub(crate) fn start(self, failure: &Failure) -> io::Result<JoinHandle<()>> {
        let mut exchange = Exchange::new(self);
        let work = move || {
            // Of this thread alone: for Linux a thread is what it schedules.
            if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
                tracing::warn!(%error, "TCP cannot stand back behind the media workers");
            }
            exchange.run()
        };
        part::start(Part::Tcp, failure, work)
    }
}
