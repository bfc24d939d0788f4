//! What survives the daemon.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What survives the daemon.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct State {
    /// Where the node keeps what has to survive it: the bans, in `bans.sqlite`. It has to be there, and is this node's
    /// alone.
    #[schemars(extend("x-reload" = false, "x-default" = "none: bans end with the daemon"))]
    pub(super) directory: Option<PathBuf>,
}
