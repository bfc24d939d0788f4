//! The Stoa daemon.

#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod config;
mod daemon;
mod dev;
mod doctor;
mod drain;
mod exit;
mod key_file;
mod logging;
mod media;
mod meter;
mod ops_port;
mod reload;
mod rooms;
mod signals;
mod systemd;
mod token;
mod top;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("stoad: {failure}");
            failure.exit_code()
        }
    }
}
