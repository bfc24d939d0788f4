//! The project's own commands. `cargo xtask test` is the one that CI runs.

#![forbid(unsafe_code)]

mod deny;
mod deploy;
mod environment;
mod msrv;
mod process;
mod report;
mod setup;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use environment::Tools;
use report::Failure;

/// The project's own commands
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run every step below, in this order: the project's one test command
    Test(test::Options),
    /// Print `export` lines for running `cargo test` by hand: eval "$(cargo xtask env)"
    Env,
    #[command(flatten)]
    Step(test::Step),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Action::Test(options) => test::all(&options),
        Action::Env => print_environment(),
        // Alone, the step was asked for by name: an advisory database out of reach is a failure.
        Action::Step(step) => step.run(true).map(|_| ()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn print_environment() -> Result<(), Failure> {
    let tools = Tools::below(&workspace::read()?.target);
    print!("{}", environment::exports(&tools.variables()));
    Ok(())
}
