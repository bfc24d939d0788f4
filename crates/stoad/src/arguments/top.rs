//! The command line of `stoad top`.

use clap::Args;

use super::rooms::Control;

#[derive(Debug, Args)]
pub(crate) struct Top {
    /// The ops port of the node
    #[arg(long, value_name = "http://HOST:PORT", env = "STOA_OPS_URL")]
    pub(crate) ops: hyper::Uri,
    /// How often to look; a node has new figures once a second
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) interval: u64,
    /// Print one view as plain text, and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Print one view as JSON, and end
    #[arg(long, conflicts_with = "once")]
    pub(crate) json: bool,
    /// With the control API: the largest rooms as well
    #[command(flatten)]
    pub(crate) control: Option<Control>,
}
