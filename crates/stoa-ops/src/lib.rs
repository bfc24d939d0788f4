//! Stoa's ops port, for whoever runs a node: plain HTTP on a private address.
//!
//! | path | what it answers |
//! | --- | --- |
//! | `GET /livez` | 200 while the process is worth keeping, otherwise 503 with the reasons: restart it |
//! | `GET /readyz` | 200 while new rooms and participants are taken, otherwise 503 with the reasons |
//! | `GET /metrics` | what docs/metrics.md lists, for Prometheus |
//! | `GET /debug/rooms/{id}` | one room and who is in it, as JSON; with the ops key |
//! | `POST /drain`, `POST /undrain` | nothing new is taken from now on, or again; with the ops key |
//!
//! Everything is read from figures that the parts publish by themselves; no request but that for a room, which needs the
//! key, reaches a media worker.

#![forbid(unsafe_code)]

mod connections;
mod debug;
mod health;
mod key;
mod log_lines;
mod metrics;
mod node;
mod panics;
mod reloads;
mod server;
mod spans;

pub use health::faults;
pub use key::OpsKey;
pub use log_lines::LogLines;
pub use metrics::{CATALOGUE, Kind, Metric};
pub use node::Node;
pub use panics::Panics;
pub use reloads::{Reloads, TlsPort};
pub use server::{BindError, OpsConfig, OpsHandle, OpsServer};
pub use spans::Spans;
