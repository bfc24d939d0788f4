//! What is logged, and in which form.

mod lines;
mod repeats;
mod visible;

use std::{
    env,
    io::{self, IsTerminal as _},
};

use stoa_ops::{LogLines, Panics};
use stoa_redact::ClientAddresses;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, layer::SubscriberExt as _, reload,
    util::SubscriberInitExt as _,
};

use self::visible::Visible;
use crate::{
    config::{Log, LogFormat},
    exit::Failure,
    panics,
};

pub(crate) use self::repeats::Repeats;
pub(crate) use lines::{Flush, last_word};

/// Changes what is logged while the daemon runs.
pub(crate) struct Filter {
    levels: reload::Handle<EnvFilter, Registry>,
    counts: LogLines,
    panics: Panics,
    repeats: Repeats,
}

impl Filter {
    /// Goes by this level from now on, unless `RUST_LOG` has said what is logged; and shows this much of the addresses of
    /// clients.
    pub(crate) fn set(&self, log: &Log) {
        ClientAddresses::from(log.client_addresses).apply();
        // Also where it is the same: with it everybody asks anew what may be shown.
        if let Err(error) = self.levels.reload(wanted(log)) {
            // Only if nothing is logged any more.
            last_word(format!(
                "stoad: the log level could not be changed: {error}"
            ));
        }
    }

    /// Lines that were not written.
    pub(crate) fn counts(&self) -> LogLines {
        self.counts.clone()
    }

    /// Panics of the control side.
    pub(crate) fn panics(&self) -> Panics {
        self.panics.clone()
    }

    /// What holds back lines that come again and again.
    pub(crate) fn repeats(&self) -> Repeats {
        self.repeats.clone()
    }
}

/// Sends log lines to standard error. The environment variable `RUST_LOG` wins over the
/// configuration. Whoever logs never waits for whoever reads; what is dropped last is to be the second of what this returns.
///
/// # Errors
/// [`Failure::Running`] when there can be no thread for it.
pub(crate) fn start(log: &Log) -> Result<(Filter, Flush), Failure> {
    let cannot = |error| Failure::Running(format!("cannot start the log: {error}"));
    let counts = LogLines::default();
    let (lines, flush) = lines::start(io::stderr(), counts.clone()).map_err(cannot)?;
    ClientAddresses::from(log.client_addresses).apply();
    let repeats = Repeats::new(counts.clone());
    let (levels, handle) = reload::Layer::new(wanted(log));
    let visible = Visible::new(levels, repeats.clone());
    // A file of log lines is for other programs, too; and see no-color.org.
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = io::stderr().is_terminal() && !unwanted;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(lines)
        .with_ansi(colour);
    let layer = match log.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(visible))
        .init();
    let panics = Panics::default();
    panics::tell_in_the_log(panics.clone());
    let filter = Filter {
        levels: handle,
        counts,
        panics,
        repeats,
    };
    Ok((filter, flush))
}

/// By the environment or, where it says nothing, by the configuration.
fn wanted(log: &Log) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| configured(log))
}

fn configured(log: &Log) -> EnvFilter {
    // Checked when the configuration was read, so the fallback is never needed.
    let filter = EnvFilter::try_new(&log.level.0).unwrap_or_else(|_| EnvFilter::new("info"));
    // str0m warns of every codec in an offer that it does not take, such as RED from every Chromium.
    let quiet = "str0m::format=error".parse();
    filter.add_directive(quiet.expect("a directive that is known to be right"))
}
