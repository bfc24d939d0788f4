//! The project's own commands. `cargo xtask test` is the one that CI runs.

#![forbid(unsafe_code)]

mod deny;
mod deploy;
mod environment;
mod fuzz;
mod msrv;
mod process;
mod races;
mod report;
mod reproducible;
mod sbom;
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
    /// Write what is made from sources: docs/api.md, from the comments of the proto files
    Docs,
    /// Let libFuzzer search for inputs that break a property
    Fuzz(fuzz::Options),
    /// Run what media threads have in common in every order
    Races(races::Options),
    /// Write what a program is made of, as CycloneDX
    Sbom(sbom::Options),
    /// Build the daemon twice and compare the two (takes as long as two release builds)
    Reproducible,
    #[command(flatten)]
    Step(test::Step),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Action::Test(options) => test::all(&options),
        Action::Env => print_environment(),
        Action::Docs => write_documents(),
        Action::Fuzz(options) => fuzz::all(&options),
        Action::Races(options) => races::all(&options),
        Action::Sbom(options) => sbom::write(&options),
        Action::Reproducible => reproducible::check(),
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

/// A test of stoa-api fails while the page is another.
fn write_documents() -> Result<(), Failure> {
    let page = workspace::read()?.root.join("docs/api.md");
    let mut command = process::cargo();
    command.args(["run", "--quiet", "--locked", "--package", "stoa-api"]);
    process::run(command.args(["--example", "reference", "--"]).arg(page))
}

fn print_environment() -> Result<(), Failure> {
    let tools = Tools::below(&workspace::read()?.target);
    print!("{}", environment::exports(&tools.variables()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_commands_of_the_documents_are_taken() {
        stoa_docs::assert_commands("xtask", &Arguments::command());
    }
}
