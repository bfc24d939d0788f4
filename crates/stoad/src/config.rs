//! The configuration file: strict YAML.
//!
//! docs/configuration.md is for people who write one. Its reference of all keys is written from the documentation of these
//! types ([`reference`]), so that is for the same people: meaning, unit, when to change it. A key that is not known is an
//! error, with its line and column. `x-reload` says whether a new value holds after SIGHUP or after a restart.

mod capacity;
mod cgroup;
mod control;
mod difference;
mod drain;
mod effective;
mod environment;
mod files;
pub(crate) mod fuzz;
mod inventory;
mod limits;
mod log;
mod media;
mod nearest;
mod ops;
mod parts;
pub(crate) mod reference;
mod rooms;
pub(crate) mod schema;
mod secret;
mod sha256;
mod state;
mod tenants;
mod token_keys;
mod traces;
mod whip;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    difference::Difference,
    inventory::{Identity, Memory, Port, Transport},
    log::{Log, LogFormat},
    parts::{Expiries, Parts},
    traces::Traces,
};
use crate::exit::Failure;

/// A whole configuration file.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The media ports.
    pub(crate) media: media::Media,
    /// The control API. Its certificates are read again when their files change.
    pub(crate) control: control::Control,
    /// A list of the teams that share the node; at least one of them has to have a credential. What tenants are and how
    /// they are kept apart: [access.md](access.md).
    #[schemars(extend("x-reload" = true))]
    tenants: Vec<tenants::Tenant>,
    /// [WHIP and WHEP](whip.md). Without this section they are not served; with it, a tenant needs `token_keys`. The
    /// certificate is read again when its files change.
    #[serde(default)]
    whip: Option<whip::Whip>,
    /// What survives the daemon.
    #[serde(default)]
    state: state::State,
    /// The port for whoever runs the node: [operations.md](operations.md).
    #[serde(default)]
    ops: ops::Ops,
    /// What the node may hold.
    #[serde(default)]
    pub(crate) limits: limits::NodeLimits,
    /// What the node may use, and from when on it refuses: [operations.md](operations.md#when-a-node-is-full). Ratios are
    /// 0.1 to 1, of whichever resource is nearest to its end.
    ///
    /// How much time the media workers have is no key: as many processors as the process may use (affinity and the
    /// control group's quota, in whole processors), and no more than there are workers.
    #[serde(default)]
    capacity: capacity::Capacity,
    /// What rooms are unless their creators say otherwise. Rooms that are there keep what they have.
    #[serde(default)]
    pub(crate) rooms: rooms::Rooms,
    /// How the node ends.
    #[serde(default)]
    pub(crate) drain: drain::Drain,
    /// What is logged.
    #[serde(default)]
    pub(crate) log: Log,
    /// [Spans of control calls](operations.md#traces) for an OpenTelemetry collector. Without this section there are none. It
    /// needs a `stoad` that was built with the feature `opentelemetry`; any other one refuses the section.
    #[serde(default)]
    traces: Option<traces::Traces>,
}

impl Config {
    /// Reads a configuration file, and what the environment says in its place.
    ///
    /// # Errors
    /// [`Failure::File`] if it cannot be read; [`Failure::Config`] with line and column if it is
    /// not a configuration.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let mut config = Self::read_whole(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.control.resolve_paths(folder);
        for tenant in &mut config.tenants {
            tenant.resolve_paths(folder);
        }
        if let Some(whip) = &mut config.whip {
            whip.resolve_paths(folder);
        }
        if let Some(directory) = &mut config.state.directory {
            *directory = folder.join(&*directory);
        }
        Ok(config)
    }

    /// What is written, with paths as they are written.
    fn read_whole(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: String| Failure::Config(format!("{}: {why}", path.display()));
        let text = files::read(path)?;
        let text = String::from_utf8(text).map_err(|error| wrong(error.to_string()))?;
        let overrides = environment::overrides(std::env::vars_os()).map_err(Failure::Config)?;
        environment::check(&overrides, schema::whole()).map_err(Failure::Config)?;
        let of_file = Self::parse(&text).map_err(wrong);
        if overrides.is_empty() {
            return of_file;
        }
        let whole = environment::apply(&text, &overrides).map_err(wrong)?;
        match (Self::parse(&whole), of_file) {
            (Ok(config), _) => Ok(config),
            // A line of the file says more than one of the whole.
            (Err(_), Err(failure)) => Err(failure),
            (Err(error), Ok(_)) => Err(wrong(format!(
                "together with the environment ({}): {error}",
                environment::names(&overrides)
            ))),
        }
    }

    /// Why not has the line and the column, and the nearest right name for a wrong one.
    fn parse(text: &str) -> Result<Self, String> {
        serde_yaml::from_str(text).map_err(|error| nearest::explained(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
