//! What is logged, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// What is logged.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// `text`, or `json` for one object a line.
    #[schemars(extend("x-reload" = false))]
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,stoa_net=debug`. The environment variable
    /// `RUST_LOG` wins.
    #[serde(deserialize_with = "filter", serialize_with = "as_text")]
    #[schemars(with = "String", extend("x-reload" = true))]
    pub(crate) level: LogLevel,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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

fn as_text<S: Serializer>(level: &LogLevel, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&level.0)
}
