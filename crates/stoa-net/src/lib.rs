//! The media workers of Stoa: plain OS threads that drive the sans-IO core.
//!
//! Each worker owns one [`Node`](stoa_core::Node) with its rooms outright and binds a UDP port of its
//! own, so no packet meets a lock or another thread; those who have to come by TCP are served by a thread
//! beside them. [`start`] binds the sockets and starts the
//! threads; [`Media`] is how the rest of the process talks to them; [`Workers`] ends them.
//!
//! This is the only crate that may hold `unsafe` code. At present it needs none.

#![deny(unsafe_code)]

mod advertised;
mod config;
mod doorbell;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod goodbyes;
mod latest;
mod lobby;
mod mailbox;
mod media;
mod notices;
mod outbox;
mod part;
mod passage;
mod ports;
mod post;
mod primitives;
mod quotas;
mod relay;
mod socket;
mod status;
mod tcp;
mod worker;
mod workers;

pub use advertised::{Advertised, InvalidAdvertised};
pub use config::Config;
pub use error::{MediaError, StartError};
pub use media::Media;
pub use notices::Notice;
pub use part::Part;
pub use socket::Buffers;
pub use status::{Lateness, QueueDepth, WorkerStatus};
pub use tcp::MAX_CONNECTIONS as MAX_TCP_CONNECTIONS;
pub use workers::{Started, Workers, start};
