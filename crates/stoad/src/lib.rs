//! The Stoa daemon, as `main` runs it. It is a library for `fuzz/` alone, which reads configurations with it.

#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod config;
mod daemon;
mod dev;
mod doctor;
mod drain;
mod exit;
#[doc(hidden)]
pub mod fuzz;
mod logging;
mod media;
mod meter;
mod ops_port;
mod panics;
mod reload;
mod rooms;
mod signals;
mod systemd;
mod token;
mod top;
#[cfg(feature = "opentelemetry")]
mod traces;
#[cfg(not(feature = "opentelemetry"))]
#[path = "traces/absent.rs"]
mod traces;

use std::process::ExitCode;

use clap::Parser;

/// Does what the command line says.
pub fn run() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            logging::last_word(format!("stoad: {failure}"));
            failure.exit_code()
        }
    }
}
