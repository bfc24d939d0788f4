//! `stoa-bench`: what Stoa costs. See docs/performance.md.

#![forbid(unsafe_code)]

mod admission;
mod client;
mod daemon;
mod flood;
mod floor;
mod forward;
mod hall;
mod machine;
mod node;
mod path;
mod peer;
mod progress;
mod promote;
mod report;
mod room;
mod send;
mod setting;
mod stage;
mod swarm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use daemon::DaemonError;
use hall::HallError;
use report::JsonError;
use room::RoomError;
use swarm::SwarmError;

/// Measures what Stoa costs.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// One speaker, N listeners, in one process: nanoseconds for each packet that is forwarded.
    ///
    /// Every participant has made a real ICE and DTLS handshake with the node. What is timed is the
    /// node's work alone: it takes a speaker's SRTP packet, decrypts it, and encrypts a copy for each
    /// listener. Neither the clients nor any socket are part of it. Beside it stands what encryption
    /// alone costs: a copy and an AES-256-GCM for each of as many keys.
    Forward(forward::Arguments),
    /// A stage and N listeners, in one process: what roles, mutes, joins, leaves, rankings and settings
    /// cost, and how that grows with the audience.
    ///
    /// Every participant has made a real ICE and DTLS handshake with the node. What is timed is one
    /// command or datagram, and polling the node until it has nothing more to do.
    Stage(stage::Arguments),
    /// A real daemon, real sockets: how long from the call that makes a listener a speaker until they
    /// are heard, and whether anything of them leaves after the answer to the call that takes it back.
    Promote(promote::Arguments),
    /// A real daemon, real sockets, N listeners: processor time for each packet beside what the kernel
    /// and the cipher alone cost, loss, latency, memory, the cost of silence, and a storm of joins.
    ///
    /// The daemon is a process of its own, and its time is taken from that process's clock. The listeners
    /// are str0m sessions with real handshakes and a socket each.
    Node(node::Arguments),
    /// A real daemon is filled with real listeners until it refuses, and then asked by many more: what those
    /// who are in lose by that, and what it does to their latency.
    Admission(admission::Arguments),
    /// A real daemon, real people who talk and listen, and somebody who floods it, in one way after the other:
    /// what that costs, what people lose by it, and what it does to their latency.
    ///
    /// Everything is sent to loopback. What is sent in others' names needs the right CAP_NET_RAW, and is left
    /// out without it.
    Flood(flood::Arguments),
    /// What the kernel takes for a datagram, by each way of handing it over: one by one, in batches, or
    /// several for one listener in a buffer that it takes apart.
    Send(send::Arguments),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    Hall(#[from] HallError),
    #[error(transparent)]
    Swarm(#[from] SwarmError),
    #[error("no runtime for the control API: {0}")]
    Runtime(std::io::Error),
    #[error(transparent)]
    Promote(#[from] promote::Fault),
    #[error(transparent)]
    Node(#[from] node::NodeError),
    #[error(transparent)]
    Admission(#[from] admission::AdmissionError),
    #[error(transparent)]
    Flood(#[from] flood::FloodError),
    #[error(transparent)]
    Floor(#[from] floor::FloorError),
}

fn main() -> ExitCode {
    let result = match Cli::parse().bench {
        Bench::Forward(arguments) => forward::run(arguments),
        Bench::Stage(arguments) => stage::run(arguments),
        Bench::Promote(arguments) => promote::run(arguments),
        Bench::Node(arguments) => node::run(arguments),
        Bench::Admission(arguments) => admission::run(arguments),
        Bench::Flood(arguments) => flood::run(arguments),
        Bench::Send(arguments) => send::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stoa-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a bench that calls a daemon's API: the connection has a thread of its own.
fn with_runtime(bench: impl Future<Output = Result<(), BenchError>>) -> Result<(), BenchError> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build();
    runtime.map_err(BenchError::Runtime)?.block_on(bench)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_commands_of_the_documents_are_taken() {
        stoa_docs::assert_commands("stoa-bench", &Cli::command());
    }
}
