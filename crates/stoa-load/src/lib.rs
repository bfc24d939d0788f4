//! The load tester: many real WebRTC clients against a server, what they hear, and what that costs.
//!
//! The way of a run: `commands` (the command line) · `scenario` (what is played) · `play` (people come, it is
//! measured, they go) · `target` (the server: a Stoa by its control API, or another one) · `swarm` (where peers
//! are) · `thread` (many peers on one) · `peer` (one session) with `mouth`, `talk` and `speech` (what it says) and `ears`, `reception` (what it makes of what it
//! hears) · `tally` and `histogram` (what is counted) · `judge` (whether the tester was the bottleneck) ·
//! `report` (tables, JSON, a page with plots) · `compare` · `peers` (beside another server). With several machines,
//! `agents` have the peers, and `clock` is that of the run. docs/load-testing.md is for those who use it.

#![forbid(unsafe_code)]

mod agents;
mod arguments;
mod clock;
mod commands;
mod compare;
mod ears;
mod exposition;
mod failure;
#[doc(hidden)]
pub mod fuzz;
mod histogram;
mod http;
mod judge;
mod machine;
mod metrics;
mod mouth;
mod network;
mod peer;
mod peers;
mod play;
mod reception;
mod report;
mod rtp;
mod scenario;
mod server;
mod show;
mod socket;
mod speech;
mod swarm;
mod talk;
mod tally;
mod target;
mod thread;

pub use arguments::Arguments;
pub use commands::run;
pub use failure::Failure;
