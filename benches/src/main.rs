//! `stoa-bench`: what Stoa costs. See docs/performance.md.

#![forbid(unsafe_code)]

mod client;
mod forward;
mod machine;
mod progress;
mod report;
mod room;
mod stage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::JsonError;
use room::RoomError;

/// Measures what Stoa costs.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// One speaker, N listeners, in one process: microseconds for each packet that is forwarded.
    ///
    /// Every participant has made a real ICE and DTLS handshake with the node. What is timed is the
    /// node's work alone: it takes a speaker's SRTP packet, decrypts it, and encrypts a copy for each
    /// listener. Neither the clients nor any socket are part of it.
    Forward(forward::Arguments),
    /// A stage and N listeners, in one process: what roles, mutes, joins, leaves, rankings and settings
    /// cost, and how that grows with the audience.
    ///
    /// Every participant has made a real ICE and DTLS handshake with the node. What is timed is one
    /// command or datagram, and polling the node until it has nothing more to do.
    Stage(stage::Arguments),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error(transparent)]
    Json(#[from] JsonError),
}

fn main() -> ExitCode {
    let result = match Cli::parse().bench {
        Bench::Forward(arguments) => forward::run(arguments),
        Bench::Stage(arguments) => stage::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stoa-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
