//! What is logged, and in which form.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use tracing_subscriber::{EnvFilter, filter::Directive};

use crate::config::{Log, LogFormat};

/// Sends log lines to standard error. The environment variable `RUST_LOG` wins over the
/// configuration.
pub(crate) fn start(log: &Log) {
    // Checked when the configuration was read, so the fallback is never needed.
    let configured = || EnvFilter::try_new(&log.level.0).unwrap_or_else(|_| EnvFilter::new("info"));
    let configured = || configured().add_directive(quiet_negotiation());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| configured());
    // A file of log lines is for other programs, too; and see no-color.org.
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = io::stderr().is_terminal() && !unwanted;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colour);
    match log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// str0m warns of every codec in an offer that it does not take, such as RED from every Chromium.
fn quiet_negotiation() -> Directive {
    "str0m::format=error"
        .parse()
        .expect("a directive that is known to be right")
}
