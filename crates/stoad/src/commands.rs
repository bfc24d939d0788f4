//! What each command does.

use std::{io, path::Path};

use tokio::runtime::{Builder, Runtime};

use crate::{
    arguments::{self, Command},
    config::{self, Config},
    daemon::Daemon,
    dev, doctor, drain,
    exit::Failure,
    logging, panics, rooms,
    signals::Signals,
    token, top,
};

/// Runs a command to its end.
///
/// # Errors
/// [`Failure`], which has the exit code.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Dev(arguments) => run_to_end(dev::run(arguments)),
        Command::Run { config } => serve(&config),
        Command::Check { file } => check(&file),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Config(arguments::Configuration::Print { file }) => {
            print!("{}", Config::print(&file)?);
            Ok(())
        }
        Command::Config(arguments::Configuration::Reference) => {
            print!("{}", config::reference::markdown());
            Ok(())
        }
        Command::Config(arguments::Configuration::Schema) => {
            print!("{}", config::schema::text());
            Ok(())
        }
        Command::Rooms(arguments) => run_to_end(rooms::rooms(arguments)),
        Command::Participants(arguments) => run_to_end(rooms::participants(arguments)),
        Command::Kick(arguments) => run_to_end(rooms::kick(arguments)),
        Command::Top(arguments) => run_to_end(top::run(arguments)),
        Command::Drain(drain) => run_to_end(drain::drain(drain)),
        Command::Undrain(ops) => run_to_end(drain::undrain(ops)),
        Command::Token(command) => token::run(command),
        Command::Version => {
            println!("stoad {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
    }
}

/// What the control side runs on.
pub(crate) fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder
        .thread_name(panics::CONTROL_THREAD)
        .enable_all()
        .build()
}

/// Runs the control side on a runtime of its own.
fn run_to_end(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let cannot = |error| Failure::Running(format!("cannot start the runtime: {error}"));
    let runtime = runtime().map_err(cannot)?;
    let result = runtime.block_on(work);
    // What has not ended by now is not waited for: that was a second signal.
    runtime.shutdown_background();
    result
}

/// Checks the file and everything it names.
fn check(file: &Path) -> Result<(), Failure> {
    Config::read(file)?.parts()?;
    println!("{}: good", file.display());
    Ok(())
}

fn serve(file: &Path) -> Result<(), Failure> {
    let config = Config::read(file)?;
    let (log, _flush) = logging::start(&config.log)?;
    run_to_end(async {
        let signals = Signals::listen()
            .map_err(|error| Failure::Running(format!("cannot listen for signals: {error}")))?;
        let daemon = Daemon::start(file, &config, log).await?;
        daemon.run(signals, async {}).await
    })
}
