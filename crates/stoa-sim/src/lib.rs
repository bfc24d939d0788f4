//! Development only: whole rooms with real str0m clients on a virtual network, one seed = one run.
//!
//! A [`Net`] is a [`House`] of one or more [`Node`](stoa_core::Node)s, its clients, and the network between
//! them. Everything happens in one thread and nothing waits: the clock is moved by the test alone and jumps to the
//! next packet or timeout. Addresses are made up; no socket is opened.
//!
//! This is a library for tests. What a test would unwrap, it unwraps: it panics, and says why.
//!
//! # What is not a function of the seed
//!
//! - The epoch. A clock needs an [`Instant`](std::time::Instant) to begin with, and only the real
//!   clock gives one. Only differences to it are ever looked at.
//! - The DTLS certificates of the node and of the clients, made once for each process.
//! - What str0m 0.25 and its DTLS draw for themselves, without a way to hand in the randomness: DTLS
//!   randoms and keys, SSRCs, `mid`, `cname`, `msid`, the session number of SDP, ICE credentials of
//!   clients, STUN transaction numbers, the ICE tie-breaker, and the moments of RTCP reports.
//!
//! None of it decides who is heard, when, or under which sequence number.

#![forbid(unsafe_code)]

mod client;
pub mod datagram;
pub mod history;
mod house;
pub mod life;
pub mod link;
pub mod nat;
mod net;
pub mod offers;
pub mod oracle;
pub mod random;
pub mod sealed;
pub mod stun;

use std::{net::SocketAddr, time::Duration};

use stoa_core::{ParticipantId, RoomId, TenantId};

pub use client::{Client, Heard, Lie, Report};
pub use house::{BETWEEN_WORKERS, House, LOBBY_SESSIONS, Layout};
pub use net::{Fate, Net, Traffic};

/// One Opus frame, as the clients here send them.
pub const FRAME: Duration = Duration::from_millis(20);

/// The time of day when the clock begins, since 1970: some day in 2033.
pub const TIME_OF_DAY: Duration = Duration::from_nanos(2_000_000_000_123_456_789);

/// Which client, in the order in which they were added.
pub type ClientId = usize;

/// Where the node is: the first worker, if there are several.
pub fn node_address() -> SocketAddr {
    worker_address(0)
}

/// Where each worker is, counted from 0.
///
/// # Panics
/// If there are more than 254 of them.
pub fn worker_address(worker: usize) -> SocketAddr {
    let host = u8::try_from(worker + 1).expect("few workers");
    SocketAddr::from(([10, 0, 1, host], 3478))
}

/// The identifier of a room: a name, or that of a tenant before it, `tenant/room`.
///
/// # Panics
/// If the name is not an identifier.
pub fn room(name: &str) -> RoomId {
    let made = match name.split_once('/') {
        Some((tenant, name)) => {
            TenantId::new(tenant).and_then(|tenant| RoomId::of_tenant(&tenant, name))
        }
        None => RoomId::new(name),
    };
    made.expect("a test names its rooms well")
}

/// The identifier of a participant.
///
/// # Panics
/// If the name is not an identifier.
pub fn participant(name: &str) -> ParticipantId {
    ParticipantId::new(name).expect("a test names its participants well")
}
