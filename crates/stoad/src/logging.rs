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
    let configured = || {
        let mut filter = configured();
        for directive in quiet() {
            filter = filter.add_directive(directive);
        }
        filter
    };
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

/// What libraries say and nobody is to read: str0m warns of every codec in an offer that it does not take, such
/// as RED from every Chromium; its ICE agent writes down passwords.
fn quiet() -> impl Iterator<Item = Directive> {
    let directives = ["str0m::format=error", "is::agent=info"].into_iter();
    directives.map(|text| text.parse().expect("a directive that is known to be right"))
}
