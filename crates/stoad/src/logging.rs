//! What is logged, and in which form.

mod lines;

use std::{
    env,
    io::{self, IsTerminal as _},
};

use tracing_subscriber::{EnvFilter, filter::Directive};

use crate::{
    config::{Log, LogFormat},
    exit::Failure,
    panics,
};

pub(crate) use lines::{Flush, Lost, last_word};

/// Changes what is logged while the daemon runs.
pub(crate) struct Filter {
    /// Nothing, where `RUST_LOG` has said it.
    set: Option<Box<dyn Fn(EnvFilter) + Send + Sync>>,
    lost: Lost,
}

impl Filter {
    /// Goes by this level from now on, unless `RUST_LOG` has said what is logged.
    pub(crate) fn set(&self, log: &Log) {
        if let Some(set) = &self.set {
            set(configured(log));
        }
    }

    /// How many lines could not be written.
    pub(crate) fn lost(&self) -> Lost {
        self.lost.clone()
    }
}

/// Sends log lines to standard error. The environment variable `RUST_LOG` wins over the
/// configuration. Whoever logs never waits for whoever reads; what is dropped last is to be the second of what this returns.
///
/// # Errors
/// [`Failure::Running`] when there can be no thread for it.
pub(crate) fn start(log: &Log) -> Result<(Filter, Flush), Failure> {
    let cannot = |error| Failure::Running(format!("cannot start the log: {error}"));
    let (lines, flush) = lines::start(io::stderr()).map_err(cannot)?;
    let lost = lines.lost();
    let of_environment = EnvFilter::try_from_default_env().ok();
    let is_configured = of_environment.is_none();
    let filter = of_environment.unwrap_or_else(|| configured(log));
    // A file of log lines is for other programs, too; and see no-color.org.
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = io::stderr().is_terminal() && !unwanted;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines)
        .with_ansi(colour);
    let set: Box<dyn Fn(EnvFilter) + Send + Sync> = match log.format {
        LogFormat::Text => {
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Box::new(move |filter| tell(handle.reload(filter)))
        }
        LogFormat::Json => {
            let builder = builder.json().with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Box::new(move |filter| tell(handle.reload(filter)))
        }
    };
    panics::tell_in_the_log();
    let set = is_configured.then_some(set);
    Ok((Filter { set, lost }, flush))
}

fn tell(set: Result<(), tracing_subscriber::reload::Error>) {
    // Only if nothing is logged any more.
    if let Err(error) = set {
        last_word(format!(
            "stoad: the log level could not be changed: {error}"
        ));
    }
}

fn configured(log: &Log) -> EnvFilter {
    // Checked when the configuration was read, so the fallback is never needed.
    let filter = EnvFilter::try_new(&log.level.0).unwrap_or_else(|_| EnvFilter::new("info"));
    quiet().fold(filter, EnvFilter::add_directive)
}

/// What libraries say and nobody is to read: str0m warns of every codec in an offer that it does not take, such
/// as RED from every Chromium; its ICE agent writes down passwords.
fn quiet() -> impl Iterator<Item = Directive> {
    let directives = ["str0m::format=error", "is::agent=info"].into_iter();
    directives.map(|text| text.parse().expect("a directive that is known to be right"))
}
