//! Why the workers did not start, or did not do what they were asked.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use stoa_core::Error;

use crate::advertised::Advertised;

/// Why the workers could not be started. None is running then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No address to bind, or two of one IP version.
    #[error("the media workers need one address to bind for each IP version, not {0:?}")]
    Bind(Vec<IpAddr>),
    /// There are to be none, or too many.
    #[error("there can be 1 to {most} media workers, not {asked}")]
    WorkerCount {
        /// The most that there can be.
        most: usize,
        /// How many were asked for.
        asked: usize,
    },
    /// The ports of all workers do not fit below 65,536.
    #[error("the ports of {workers} workers from {first} on go beyond 65535")]
    Ports {
        /// The first port.
        first: u16,
        /// How many are needed.
        workers: usize,
    },
    /// Bound to all addresses, and not told which of them clients can reach.
    #[error("bound to {0}, so the addresses to advertise have to be given")]
    NothingAdvertised(IpAddr),
    /// Clients would be sent to an IP version that is not bound.
    #[error("{0} is advertised, but no address of its IP version is bound")]
    NotBound(Advertised),
    /// A socket could not be opened.
    #[error("cannot use {transport} {address}: {source}")]
    Socket {
        /// UDP or TCP.
        transport: &'static str,
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Why a worker did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The core refused.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The worker's mailbox is full.
    #[error("the media worker has too much to do")]
    Overloaded,
    /// The worker is gone.
    #[error("the media worker has stopped")]
    Stopped,
}
