//! `stoa-bench`: how much work Stoa does for each packet. See docs/performance.md.

#![forbid(unsafe_code)]

mod client;
mod forward;
mod machine;
mod report;
mod room;

use std::{fs::File, io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use forward::Plan;
use room::RoomError;

/// Measures how much work Stoa does for each packet.
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
    Forward(ForwardArgs),
}

#[derive(Args)]
struct ForwardArgs {
    /// How many listeners, one row of the table for each number.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000", value_name = "N,N,...",
          value_parser = clap::value_parser!(u16).range(1..))]
    listeners: Vec<u16>,
    /// How many packets the speaker sends in each round; 50 are a second of speech.
    #[arg(long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    packets: u32,
    /// How many rounds: the table shows their median, minimum and maximum.
    #[arg(long, default_value_t = 11, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A small run that only shows that the bench works.
    #[arg(long, conflicts_with_all = ["listeners", "packets", "rounds"])]
    quick: bool,
    /// Also write the results to this file, one JSON object on each line.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl ForwardArgs {
    fn plan(&self) -> Plan {
        if self.quick {
            Plan {
                listeners: vec![2, 20],
                packets: 20,
                rounds: 3,
            }
        } else {
            Plan {
                listeners: self.listeners.clone(),
                packets: self.packets,
                rounds: self.rounds,
            }
        }
    }
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error("{0}: {1}")]
    Json(PathBuf, std::io::Error),
}

fn main() -> ExitCode {
    let Bench::Forward(args) = Cli::parse().bench;
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stoa-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &ForwardArgs) -> Result<(), BenchError> {
    // Before the work, so that a wrong path does not cost minutes.
    let mut json = match &args.json {
        Some(path) => {
            let file = File::create(path).map_err(|error| BenchError::Json(path.clone(), error))?;
            Some((path, file))
        }
        None => None,
    };
    let machine = machine::describe();
    println!("{}", report::heading(&machine));
    let plan = args.plan();
    for &listeners in &plan.listeners {
        let row = forward::measure(&plan, listeners)?;
        println!("{}", report::line(&row));
        if let Some((path, file)) = &mut json {
            writeln!(file, "{}", report::json(&row, &machine))
                .map_err(|error| BenchError::Json(path.clone(), error))?;
        }
    }
    Ok(())
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
