//! What is logged, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use stoa_redact::ClientAddresses;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

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
    /// How much of the addresses of clients and callers is shown: `prefix` (the network: /24 of IPv4, /48 of IPv6), `none`, or
    /// `full`. What libraries say below `info` is logged with `full` only, since they show addresses as they are. Passwords
    /// and keys are never logged.
    #[schemars(extend("x-reload" = true))]
    pub(crate) client_addresses: ShownAddresses,
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

/// How much of a client's address is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ShownAddresses {
    /// Nothing.
    None,
    /// The network.
    #[default]
    Prefix,
    /// All of it.
    Full,
}

impl From<ShownAddresses> for ClientAddresses {
    fn from(shown: ShownAddresses) -> Self {
        match shown {
            ShownAddresses::None => Self::None,
            ShownAddresses::Prefix => Self::Prefix,
            ShownAddresses::Full => Self::Full,
        }
    }
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
    let wrong = |error: String| Err(D::Error::custom(format!("log level {text:?}: {error}")));
    if let Some(word) = no_level(&text) {
        return wrong(format!(
            "{word:?} is none of error, warn, info, debug, trace and off; what a module logs is MODULE=LEVEL"
        ));
    }
    match EnvFilter::try_new(&text) {
        Ok(_) => Ok(LogLevel(text)),
        Err(error) => wrong(error.to_string()),
    }
}

/// A word that stands alone and is no level. The filter would take it for the name of a module, and log nothing else: so a
/// level that is misspelt would silence everything, errors as well.
fn no_level(text: &str) -> Option<&str> {
    let mut words = text.split(',').map(str::trim);
    words.find(|word| {
        !word.is_empty() && !word.contains(['=', '[']) && word.parse::<LevelFilter>().is_err()
    })
}

fn as_text<S: Serializer>(level: &LogLevel, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&level.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_misspelt_is_refused() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,stoa_net=debug",
            "stoa_net=debug, error",
        ] {
            let log: Log = serde_yaml::from_str(&format!("level: {good:?}")).expect(good);
            assert_eq!(log.level.0, good);
        }
        for bad in [
            "debugg",
            "info,stoa_net",
            "verbose,stoa_net=debug",
            "info,stoa_net=loud",
        ] {
            let error = serde_yaml::from_str::<Log>(&format!("level: {bad:?}")).expect_err(bad);
            assert!(error.to_string().contains("log level"), "{error}");
        }
    }
}
