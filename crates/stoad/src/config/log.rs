//! What is logged, and how.

use serde::{Deserialize, Deserializer, de::Error as _};

/// What is logged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// As text or as JSON.
    pub(crate) format: LogFormat,
    /// How much: `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,stoa_net=debug`.
    #[serde(deserialize_with = "filter")]
    pub(crate) level: LogLevel,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one object a line.
    Json,
}

/// A filter that has been checked.
#[derive(Debug, Clone)]
pub(crate) struct LogLevel(pub(crate) String);

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

fn filter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogLevel, D::Error> {
    let text = String::deserialize(deserializer)?;
    match tracing_subscriber::EnvFilter::try_new(&text) {
        Ok(_) => Ok(LogLevel(text)),
        Err(error) => Err(D::Error::custom(format!("log level {text:?}: {error}"))),
    }
}
